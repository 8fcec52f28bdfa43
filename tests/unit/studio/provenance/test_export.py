import json
from collections.abc import Callable
from pathlib import Path

import pytest

from inkseal.core.errors import InksealError, InvalidRequest, NotEnoughSpace, StoreError, TrustError
from inkseal.core.types import Artifact
from inkseal.store import artifacts
from inkseal.studio.provenance.export import export
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import verify

SUFFIXES = ("txt", "md", "html", "pdf")

Record = Callable[..., Artifact]


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"bridges.{request.param}"


def test_every_format_is_labelled_and_verifies(sealer: Sealer, path: Path, record: Record) -> None:
    artifact = record(sealer)
    report = export(sealer, artifact.id, path)
    result = verify(sealer, path.read_bytes(), name=path.name)
    assert (result.relation, result.artifact_id) == ("exact", artifact.id)
    assert result.intact
    assert result.layer("visible").details["labels"] == ["AI-generated (AI生成)"]
    issuer = result.layer("metadata").issuer
    assert issuer is not None
    assert issuer.kind == "self"
    assert result.layer("c2pa").state == ("valid" if path.suffix == ".pdf" else "absent")
    assert result.layer("manifest").state == result.layer("ledger").state == "valid"
    assert {r.id for r in report.unmet} == {"cn.producer"}
    assert report.sha256 == result.sha256


def test_equal_exports_are_equal_but_for_their_signatures(sealer: Sealer, path: Path, record: Record) -> None:
    artifact = record(sealer)
    first, second = (export(sealer, artifact.id, path).size_bytes for _ in range(2))
    assert abs(first - second) < 40


def test_the_aigc_field_has_seven_strings(sealer: Sealer, tmp_path: Path, record: Record) -> None:
    artifact = record(sealer)
    export(sealer, artifact.id, tmp_path / "a.txt")
    line = next(x for x in (tmp_path / "a.txt").read_text().splitlines() if x.startswith("AIGC: "))
    label = json.loads(line.removeprefix("AIGC: "))
    keys = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID"]
    assert [*label] == [*keys, "ReservedCode2"]
    assert all(isinstance(value, str) for value in label.values())
    assert (label["Label"], label["ProduceID"]) == ("1", artifact.id)
    assert len(label["ReservedCode1"]) < 2048


@pytest.mark.parametrize(("regime", "has_aigc"), [("cn", True), ("eu", False), ("both", True)])
def test_regimes_choose_the_fields(sealer: Sealer, tmp_path: Path, regime: str, has_aigc: bool, record: Record) -> None:
    artifact = record(sealer)
    export(sealer, artifact.id, tmp_path / "a.md", regime=regime)  # type: ignore[arg-type]
    text = (tmp_path / "a.md").read_text()
    assert ("AIGC:" in text) is has_aigc
    assert ("Seal:" in text) is not has_aigc
    assert verify(sealer, text.encode(), name="a.md").intact


def test_an_unlabelled_export_needs_agreement_and_is_logged_first(sealer: Sealer, path: Path, record: Record) -> None:
    artifact = record(sealer)
    with pytest.raises(InvalidRequest, match="agreement"):
        export(sealer, artifact.id, path, regime="none")
    assert not path.exists()
    report = export(sealer, artifact.id, path, regime="none", agree_unlabelled=True, agreed_by="Li")
    assert report.marks == ()
    with sealer.store.reading() as session:
        (entry,) = sealer.ledger.entries(session, kind="unlabelled_export")
    assert entry.body["agreed_by"] == "Li"
    assert entry.body["sha256"] == report.sha256
    result = verify(sealer, path.read_bytes(), name=path.name)
    assert {layer.name: layer.state for layer in result.layers if layer.name in ("visible", "metadata", "c2pa")} == {
        "visible": "absent",
        "metadata": "absent",
        "c2pa": "absent",
    }
    assert (result.relation, result.artifact_id) == ("exact", artifact.id)


def test_an_unlabelled_text_is_the_content_and_nothing_else(
    sealer: Sealer, tmp_path: Path, record: Record, sample: str
) -> None:
    artifact = record(sealer)
    for suffix in ("txt", "md"):
        export(sealer, artifact.id, tmp_path / f"a.{suffix}", regime="none", agree_unlabelled=True)
        assert (tmp_path / f"a.{suffix}").read_text() == sample


def test_a_withdrawn_artifact_is_not_exported(sealer: Sealer, path: Path, record: Record) -> None:
    artifact = record(sealer)
    with sealer.store.transaction() as session:
        artifacts.set_state(session, artifact.id, "withdrawn")
    with pytest.raises(InvalidRequest, match="withdrawn"):
        export(sealer, artifact.id, path)


@pytest.mark.parametrize("name", ["a.docx", "a", ""])
def test_an_unknown_format_is_refused(sealer: Sealer, tmp_path: Path, name: str, record: Record) -> None:
    with pytest.raises(InvalidRequest):
        export(sealer, record(sealer).id, tmp_path / name)


def test_fault_66_a_full_disk_leaves_the_old_file_and_no_entry(
    sealer: Sealer, path: Path, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    artifact = record(sealer)
    path.write_bytes(b"what was there")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(NotEnoughSpace):
            export(sealer, artifact.id, path)
    assert path.read_bytes() == b"what was there"
    assert [*path.parent.glob(".*")] == []
    with sealer.store.reading() as session:
        assert not [*sealer.ledger.entries(session, kind="exported")]


def test_changed_content_or_manifest_is_not_exported(sealer: Sealer, path: Path, record: Record) -> None:
    from sqlalchemy import text

    artifact = record(sealer)
    blob = sealer.store.blobs.path(artifact.sha256)
    whole = blob.read_bytes()
    blob.write_bytes(whole[:-1])
    with pytest.raises(StoreError):
        export(sealer, artifact.id, path)
    blob.write_bytes(whole)
    with sealer.store.transaction() as session:
        session.execute(text("UPDATE manifests SET signature = zeroblob(64)"))
    with pytest.raises(TrustError):
        export(sealer, artifact.id, path)
    assert not path.exists()


def test_an_export_is_recorded_with_the_hash_of_the_file(sealer: Sealer, path: Path, record: Record) -> None:
    report = export(sealer, record(sealer).id, path)
    with sealer.store.reading() as session:
        (entry,) = sealer.ledger.entries(session, kind="exported")
        assert sealer.ledger.verify(session).valid
    assert entry.body["sha256"] == report.sha256


def test_a_title_and_a_model_name_cannot_break_out(sealer: Sealer, path: Path, record: Record, sample: str) -> None:
    hostile = '--- "><script>alert(1)</script> ]]> ⁠\u2028 AIGC: {} \n---\n'
    artifact = record(sealer, f"{sample}\n{hostile}\n")
    try:
        export(sealer, artifact.id, path)
    except InksealError as error:
        pytest.fail(str(error))
    assert verify(sealer, path.read_bytes(), name=path.name).intact
