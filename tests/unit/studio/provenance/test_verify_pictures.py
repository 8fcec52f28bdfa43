"""Pictures through the seal: whole, changed, stripped of their marks, and hostile."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inkseal.core.errors import InvalidRequest
from inkseal.core.types import Artifact
from inkseal.modalities.image import reading
from inkseal.modalities.image.label_strip import INK, strip_height
from inkseal.modalities.image.reading import open_picture
from inkseal.modalities.image.request import MAX_SIDE_PX
from inkseal.modalities.image.writers import _picture_file
from inkseal.studio.provenance.export import export
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import Verification, verify
from measured_run import measured_run
from picture_file_maker import bomb, picture_file, text_bomb
from picture_records import record_picture

SUFFIXES = ("png", "jpg", "webp")


def recorded(sealer: Sealer, number: int = 1) -> Artifact:
    return record_picture(sealer, picture_file(number, side_px=128))


@pytest.fixture(params=SUFFIXES)
def exported(request: pytest.FixtureRequest, sealer: Sealer, tmp_path: Path) -> Path:
    path = tmp_path / f"picture.{request.param}"
    export(sealer, recorded(sealer).id, path)
    return path


def changed(result: Verification) -> dict[str, tuple[str, ...]]:
    return {layer.name: layer.changed for layer in result.layers if layer.state == "changed"}


def resaved(data: bytes, kind: str = "JPEG", scale: float = 1, **options: object) -> bytes:
    found = Image.open(io.BytesIO(data)).convert("RGB")
    found = found.resize((round(found.width * scale), round(found.height * scale)))
    target = io.BytesIO()
    found.save(target, kind, **options)  # type: ignore[arg-type]
    return target.getvalue()


def test_an_export_is_labelled_signed_and_whole(sealer: Sealer, exported: Path) -> None:
    result = verify(sealer, exported.read_bytes(), name=exported.name)
    assert result.intact
    assert result.standing == "trusted"
    assert result.relation == "exact"
    assert result.layer("visible").details["labels"] == ["AI-generated (AI生成)"]
    assert {result.layer(name).state for name in ("visible", "metadata", "c2pa", "manifest", "ledger", "export")} == {
        "valid"
    }
    assert result.layer("metadata").details["aigc"]["ProduceID"] == result.artifact_id


def test_the_same_pictures_of_many_others_hide_nobodys_own(sealer: Sealer) -> None:
    data = picture_file(1, side_px=128)
    for _ in range(60):
        record_picture(sealer, data, owner="ann")
    own = record_picture(sealer, data, owner="bob")
    copy = resaved(data, quality=60)
    for found in (verify(sealer, data, owner="bob"), verify(sealer, copy, owner="bob")):
        assert found.artifact_id == own.id
    assert verify(sealer, data, owner="eve").relation == "not_found"


def test_the_words_that_asked_for_it_do_not_leave_with_it(exported: Path) -> None:
    assert b"Mr Wu" not in exported.read_bytes()


def test_the_aigc_field_is_where_the_standard_says(exported: Path) -> None:
    data = exported.read_bytes()
    assert b'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"' in data
    assert b'<TC260:AIGC>{"Label":"1"' in data


def test_every_changed_byte_is_named(sealer: Sealer, exported: Path) -> None:
    whole = exported.read_bytes()
    for position in random.Random(1).sample(range(len(whole)), 60):
        data = bytearray(whole)
        data[position] ^= 1
        assert changed(verify(sealer, bytes(data), name=exported.name)), position


def test_a_wiped_label_is_named(sealer: Sealer, tmp_path: Path) -> None:
    export(sealer, recorded(sealer).id, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as found:
        found.load()
        xmp = found.info["xmp"]
        found.paste((34, 40, 60), (0, 128, found.width, found.height))
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        found.save(tmp_path / "b.png", pnginfo=info)
    result = verify(sealer, (tmp_path / "b.png").read_bytes())
    assert "labels" in changed(result)["visible"]


@pytest.mark.parametrize("scale", [0.5, 1, 2])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_copy_that_lost_its_marks_is_known(sealer: Sealer, exported: Path, kind: str, scale: float) -> None:
    artifact = verify(sealer, exported.read_bytes()).artifact_id
    for number in range(2, 8):
        recorded(sealer, number)
    result = verify(sealer, resaved(exported.read_bytes(), kind, scale, quality=60))
    assert (result.relation, result.artifact_id, result.standing) == ("copy", artifact, "marks_removed")
    assert result.summary.startswith("Made here, marks removed")


def test_a_picture_that_only_looks_alike_is_never_called_ours(sealer: Sealer) -> None:
    recorded(sealer, 1)
    for number in range(2, 12):
        result = verify(sealer, picture_file(number, "JPEG", 128, quality=60))
        assert result.standing == "unknown"
        assert "Made here" not in result.summary


def test_a_changed_fingerprint_in_the_records_claims_nothing(sealer: Sealer) -> None:
    from inkseal.store.records import FingerprintRow

    artifact = recorded(sealer, 1)
    foreign = picture_file(5, side_px=128)
    from inkseal.modalities.image import Image as Pictures

    with sealer.store.transaction() as session:
        row = session.get(FingerprintRow, (artifact.id, "look"))
        assert row is not None
        row.value = Pictures().fingerprint(foreign)["look"]
    assert verify(sealer, foreign).relation == "not_found"


@pytest.mark.parametrize("data", [bomb(50_000, 50_000), text_bomb(), picture_file()[:200]], ids=["bomb", "text", "cut"])
def test_fault_18_a_hostile_picture_is_refused(sealer: Sealer, data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        verify(sealer, data, name="a.png")


def test_a_file_is_decoded_once_and_never_encoded(
    sealer: Sealer, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, num_opened = exported.read_bytes(), 0

    def count(data: bytes, media_type: str = "") -> Image.Image:
        nonlocal num_opened
        num_opened += 1
        return open_picture(data, media_type)

    def never(picture: Image.Image) -> bytes:
        raise AssertionError("nobody asked for it")

    for module in (_picture_file, reading):
        monkeypatch.setattr(module, "open_picture", count)
        monkeypatch.setattr(module, "to_png", never)
    assert verify(sealer, data).standing == "trusted"
    assert num_opened == 1
    assert verify(sealer, resaved(data, quality=60)).relation == "copy"
    assert num_opened == 2
    with pytest.raises(InvalidRequest):
        verify(sealer, picture_file()[:200])
    assert num_opened == 3, "what was refused is not tried again"


LARGEST_PX = (4096, 5120)
READY = """
from pathlib import Path
from inkseal.store.store import Store
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import verify

folder = Path(sys.argv[1])
sealer = Sealer(Store.open(folder / "data"))
verify(sealer, (folder / "small.png").read_bytes())
data = (folder / "large.png").read_bytes()
"""


def test_fault_18_the_largest_picture_is_examined_within_two_seconds_in_little_more_than_its_pixels(
    tmp_path: Path,
) -> None:
    width, height = LARGEST_PX
    assert width * height == reading.MAX_PIXELS
    large = Image.new("RGB", LARGEST_PX, (200, 90, 30))
    large.paste(INK, (0, height - 600, width, height))  # as a strip has it: it is looked at with and without
    large.save(tmp_path / "large.png", compress_level=1)
    (tmp_path / "small.png").write_bytes(picture_file())
    run = measured_run(READY, "print(verify(sealer, data).relation)", str(tmp_path))
    assert run.printed == "not_found"
    assert run.seconds < 2
    assert run.grown_bytes < 6 * width * height  # Pillow keeps four bytes of a pixel


def test_the_largest_picture_that_is_made_here_is_within_the_limit_with_its_label() -> None:
    assert MAX_SIDE_PX * (MAX_SIDE_PX + strip_height(MAX_SIDE_PX, MAX_SIDE_PX)) <= reading.MAX_PIXELS


Record = Callable[..., Artifact]


def test_an_unlabelled_picture_is_its_pixels_and_nothing_else(sealer: Sealer, tmp_path: Path) -> None:
    artifact = recorded(sealer)
    export(sealer, artifact.id, tmp_path / "a.png", regime="none", agree_unlabelled=True, agreed_by="Li")
    with Image.open(tmp_path / "a.png") as found:
        assert found.size == (128, 128)
        assert not found.info
    assert verify(sealer, (tmp_path / "a.png").read_bytes()).relation == "exact"
