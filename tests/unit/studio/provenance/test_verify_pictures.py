"""Pictures through the seal: whole, changed, stripped of their marks, and hostile."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inkseal.core.errors import InvalidRequest
from inkseal.core.types import Artifact, Usage, new_id, now
from inkseal.modalities.image.request import ImageRequest
from inkseal.store import artifacts
from inkseal.studio.provenance.export import export
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import Verification, verify
from picture_file_maker import bomb, picture_file, text_bomb

SUFFIXES = ("png", "jpg", "webp")


def record_picture(sealer: Sealer, number: int = 1, side_px: int = 128) -> Artifact:
    """Seals a picture as the story does."""
    content = picture_file(number, side_px=side_px)
    sha256, size_bytes = sealer.store.blobs.put(content)
    facts = {"modality": "image", "media_type": "image/png", "sha256": sha256, "size_bytes": size_bytes}
    artifact = Artifact(id=new_id(), created_at=now(), title="Mr Wu at home", **facts)  # type: ignore[arg-type]
    request = ImageRequest.of("Mr Wu at home", seed=7)
    signed = sealer.seal(sealer.manifest(artifact, content=content, request=request, usage=Usage()))
    with sealer.store.transaction() as session:
        artifacts.add(session, artifact)
        sealer.record(session, artifact, content, signed)
    sealer.committed()
    return artifact


@pytest.fixture(params=SUFFIXES)
def exported(request: pytest.FixtureRequest, sealer: Sealer, tmp_path: Path) -> Path:
    path = tmp_path / f"picture.{request.param}"
    export(sealer, record_picture(sealer).id, path)
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
    export(sealer, record_picture(sealer).id, tmp_path / "a.png")
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
        record_picture(sealer, number)
    result = verify(sealer, resaved(exported.read_bytes(), kind, scale, quality=60))
    assert (result.relation, result.artifact_id, result.standing) == ("copy", artifact, "marks_removed")
    assert result.summary.startswith("Made here, marks removed")


def test_a_picture_that_only_looks_alike_is_never_called_ours(sealer: Sealer) -> None:
    record_picture(sealer, 1)
    for number in range(2, 12):
        result = verify(sealer, picture_file(number, "JPEG", 128, quality=60))
        assert result.standing == "unknown"
        assert "Made here" not in result.summary


def test_a_changed_fingerprint_in_the_records_claims_nothing(sealer: Sealer) -> None:
    from inkseal.store.records import FingerprintRow

    artifact = record_picture(sealer, 1)
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


Record = Callable[..., Artifact]


def test_an_unlabelled_picture_is_its_pixels_and_nothing_else(sealer: Sealer, tmp_path: Path) -> None:
    artifact = record_picture(sealer)
    export(sealer, artifact.id, tmp_path / "a.png", regime="none", agree_unlabelled=True, agreed_by="Li")
    with Image.open(tmp_path / "a.png") as found:
        assert found.size == (128, 128)
        assert not found.info
    assert verify(sealer, (tmp_path / "a.png").read_bytes()).relation == "exact"
