import io
import time
from pathlib import Path

import pytest
from PIL import Image

from inkseal.core.errors import InvalidRequest
from inkseal.modalities.image import reading
from inkseal.modalities.image.reading import decode, kind_of
from measured_run import measured_run
from picture_file_maker import hostile_pictures, picture, picture_file, saved

HOSTILE = {
    **hostile_pictures(),
    "no picture": b"GIF89a/*" + b"\x00" * 30 + b"*/=1;alert(1)",
    "script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "nothing": b"",
}
READY = """
import contextlib
from pathlib import Path
from inkseal.core.errors import InvalidRequest
from inkseal.modalities.image.reading import decode

whole, hostile = ([path.read_bytes() for path in Path(sys.argv[1], kind).iterdir()] for kind in ("whole", "hostile"))
for data in whole:
    decode(data)
"""
REFUSE = """
for data in hostile:
    with contextlib.suppress(InvalidRequest):
        decode(data)
        print("it was read")
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_18_hostile_pictures_are_refused_at_once(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(InvalidRequest) as refused:
        decode(HOSTILE[name])
    assert time.process_time() - begin < 2
    assert "0x" not in str(refused.value)


def test_fault_18_no_hostile_picture_takes_memory(tmp_path: Path) -> None:
    whole = {kind: picture_file(kind=kind) for kind in ("PNG", "JPEG", "WEBP")}
    for folder, files in (("whole", whole), ("hostile", HOSTILE)):
        (tmp_path / folder).mkdir()
        for number, data in enumerate(files.values()):
            (tmp_path / folder / str(number)).write_bytes(data)
    run = measured_run(READY, REFUSE, str(tmp_path))
    assert run.printed == ""
    assert run.grown_bytes < run.before_bytes // 20


@pytest.mark.parametrize("name", ["animated", "animated WEBP"])
def test_the_animations_are_whole_and_refused_for_what_they_are(name: str) -> None:
    with Image.open(io.BytesIO(HOSTILE[name])) as found:
        assert getattr(found, "n_frames", 1) == 10_000
    with pytest.raises(InvalidRequest, match="animation"):
        decode(HOSTILE[name])


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
