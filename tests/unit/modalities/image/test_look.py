import io

import pytest
from PIL import Image

from inkseal.core.types import Likeness
from inkseal.modalities.image import look
from inkseal.modalities.image.label_strip import draw_strip, has_strip, strip_height, strip_top, with_strip
from picture_file_maker import picture

LABEL = ["AI-generated (AI生成)"]


def again(found: Image.Image, kind: str, **options: object) -> Image.Image:
    target = io.BytesIO()
    found.save(target, kind, **options)  # type: ignore[arg-type]
    return Image.open(io.BytesIO(target.getvalue())).convert("RGB")


def judged(mine: Image.Image, other: Image.Image) -> Likeness:
    return look.likeness(look.fingerprint(mine), look.fingerprint(other))


def scaled(found: Image.Image, by: float) -> Image.Image:
    return found.resize((round(found.width * by), round(found.height * by)))


COPIES = {
    "jpeg": lambda found: again(found, "JPEG", quality=60),
    "webp": lambda found: again(found, "WEBP", quality=80),
    "half": lambda found: scaled(found, 0.5),
    "double": lambda found: scaled(found, 2),
    "labelled": lambda found: again(with_strip(found, LABEL), "JPEG", quality=60),
    "labelled half": lambda found: again(scaled(with_strip(found, LABEL), 0.5), "JPEG", quality=60),
}


@pytest.mark.parametrize("side_px", [128, 256, 300])
@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_by_its_keys_and_called_a_copy(kind: str, side_px: int) -> None:
    original = picture(3, side_px)
    copy = COPIES[kind](original)
    mine, recorded = look.fingerprint(copy), look.fingerprint(original)
    assert set(look.keys(mine["look"])) & set(look.bands(recorded["look"]))
    assert look.likeness(mine, recorded).relation == "copy"


def test_the_same_pixels_are_exact_and_other_pictures_are_not_copies() -> None:
    assert judged(picture(1), again(picture(1), "PNG")).relation == "exact"
    for number in range(2, 12):
        assert judged(picture(number), picture(1)).relation in ("similar", "different")


def test_another_shape_is_another_picture() -> None:
    wide = picture(1).resize((192, 96))
    assert judged(wide, picture(1)).relation == "different"


def test_a_part_that_was_changed_is_seen_however_small_the_rest_differs() -> None:
    changed = picture(1, 256)
    changed.paste((255, 255, 255), (0, 0, 48, 48))
    assert judged(changed, picture(1, 256)).relation != "copy"


@pytest.mark.parametrize("size", [(64, 64), (128, 128), (256, 256), (1024, 1024), (300, 120), (120, 300)])
@pytest.mark.parametrize("label", ["AI生成", "AI-generated", "AI-generated (AI生成)"])
def test_letters_are_a_twentieth_of_the_shorter_side(size: tuple[int, int], label: str) -> None:
    strip = draw_strip([label], *size).convert("L")
    box = strip.point(lambda value: 255 if value > 128 else 0).getbbox()
    assert box is not None
    lines = 2 if size[0] < 10.6 * max(9, round(0.08 * min(size))) and " " in label else 1
    assert (box[3] - box[1]) / lines >= 0.05 * min(size)
    assert box[0] >= 0
    assert box[2] <= size[0]


def test_a_strip_is_told_from_the_picture_and_its_wiping_out_is_seen() -> None:
    whole = with_strip(picture(1, 200), LABEL)
    assert strip_top(whole) == 200
    assert has_strip(whole, LABEL, (200, 200))
    assert not has_strip(whole, ["Made by hand"], (200, 200))
    wiped = whole.copy()
    wiped.paste((34, 40, 60), (0, 200, 200, 200 + strip_height(200, 200)))
    assert not has_strip(wiped, LABEL, (200, 200))
    assert strip_top(picture(1, 200)) is None
