import io
import time
from pathlib import Path

import pytest
from PIL import Image

from inkseal.core.errors import InvalidRequest
from inkseal.modalities.image import reading
from inkseal.modalities.image.reading import decode, kind_of
from picture_file_maker import animation, bomb, chunk, picture, picture_file, png_head, text_bomb


def saved(found: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    found.save(target, kind, **options)  # type: ignore[arg-type]
    return target.getvalue()


def many_scans() -> bytes:
    whole = picture_file(kind="JPEG", progressive=True)
    start = whole.index(b"\xff\xda")
    return whole[:start] + whole[start:-2] * 80 + whole[-2:]


HOSTILE = {
    "50000x50000": bomb(50_000, 50_000),
    "one side too long": bomb(1, 65_535),
    "0x0": png_head(0, 0) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    "truncated": picture_file(side_px=200)[:-400],
    "truncated JPEG": picture_file(kind="JPEG", side_px=200)[:900],
    "truncated WEBP": picture_file(kind="WEBP", side_px=200)[:300],
    "only a head": png_head(8, 8),
    "CMYK": saved(picture(mode="CMYK"), "JPEG"),
    "16 bits": png_head(8, 8, depth=16) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    "16 bits of grey": saved(Image.new("I;16", (8, 8)), "PNG"),
    "animated": animation(300),
    "animated WEBP": saved(picture(), "WEBP", save_all=True, append_images=[picture(2), picture(3)]),
    "text bomb": text_bomb(b"zTXt"),
    "colour profile bomb": text_bomb(b"iCCP"),
    "many scans": many_scans(),
    "no picture": b"GIF89a/*" + b"\x00" * 30 + b"*/=1;alert(1)",
    "script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_18_hostile_pictures_are_refused_at_once_and_in_little_memory(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(InvalidRequest) as refused:
        decode(HOSTILE[name])
    assert time.process_time() - begin < 2
    assert "0x" not in str(refused.value)


def test_fault_18_the_cap_is_what_keeps_a_large_picture_out(monkeypatch: pytest.MonkeyPatch) -> None:
    large = picture_file(side_px=300)
    assert decode(large).size == (300, 300)
    monkeypatch.setattr(reading, "MAX_PIXELS", 300 * 300 - 1)
    with pytest.raises(InvalidRequest, match="too large"):
        decode(large)


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert decode(saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_all_three_kinds_are_told_by_their_first_bytes(kind: str) -> None:
    data = picture_file(kind=kind)
    assert kind_of(data) == f"image/{kind.lower()}"
    assert decode(data).size == (96, 96)


def test_palettes_greys_and_transparency_become_plain_colours(tmp_path: Path) -> None:
    assert decode(saved(picture(mode="P"), "PNG")).mode == "RGB"
    assert decode(saved(picture(mode="L"), "PNG")).mode == "RGB"
    seen_through = picture(mode="RGBA")
    seen_through.putalpha(80)
    assert decode(saved(seen_through, "PNG")).mode == "RGBA"


def test_fault_19_a_decoder_s_own_words_stay_inside() -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 60)
    assert "object at" not in str(refused.value)
    assert "BytesIO" not in str(refused.value)
