import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inkseal.core.errors import InvalidRequest
from inkseal.core.types import Artifact
from inkseal.store import artifacts
from inkseal.studio.provenance import issuers
from inkseal.studio.provenance.export import export
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.verify import Verification, bare_text, sniff, verify

MakeSealer = Callable[[str], Sealer]
Record = Callable[..., Artifact]


@pytest.fixture(params=["txt", "md", "html", "pdf"])
def exported(request: pytest.FixtureRequest, sealer: Sealer, tmp_path: Path, record: Record) -> Path:
    path = tmp_path / f"bridges.{request.param}"
    export(sealer, record(sealer).id, path)
    return path


def examine(sealer: Sealer, path: Path, data: bytes | None = None) -> Verification:
    return verify(sealer, path.read_bytes() if data is None else data, name=path.name)


def changed(result: Verification) -> dict[str, tuple[str, ...]]:
    return {layer.name: layer.changed for layer in result.layers if layer.state == "changed"}


def test_every_changed_byte_is_found(sealer: Sealer, exported: Path) -> None:
    whole = exported.read_bytes()
    positions = random.Random(1).sample(range(len(whole)), 120)
    missed = []
    for position in positions:
        data = bytearray(whole)
        data[position] ^= 1
        if not changed(examine(sealer, exported, bytes(data))):
            missed.append((position, whole[max(0, position - 20) : position + 20]))
    assert missed == []


def test_a_changed_word_is_named_as_text(sealer: Sealer, exported: Path) -> None:
    if exported.suffix == ".pdf":
        pytest.skip("its text is compressed; the next test edits the pages")
    result = examine(sealer, exported, exported.read_bytes().replace(b"suspension", b"suspensiom"))
    assert changed(result) == {"metadata": ("text",)}
    assert result.layer("visible").state == "valid"
    assert result.relation == "edited"


def test_a_changed_page_of_a_pdf_is_named_in_both_layers(sealer: Sealer, tmp_path: Path, record: Record) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import ContentStream

    path = tmp_path / "a.pdf"
    export(sealer, record(sealer).id, path)
    writer = PdfWriter(clone_from=PdfReader(path))
    page = writer.pages[0]
    stream = ContentStream(page.get_contents(), writer)
    drawn = [i for i, (_, operator) in enumerate(stream.operations) if operator == b"Tj"]
    del stream.operations[drawn[-1]]
    page.replace_contents(stream)
    writer.write(path)
    result = examine(sealer, path)
    assert result.layer("c2pa").state == "changed"
    assert result.layer("metadata").changed == ("text",)
    assert result.relation == "edited"


def test_a_changed_label_is_named_in_both_layers(sealer: Sealer, exported: Path) -> None:
    if exported.suffix == ".pdf":
        pytest.skip("its text is compressed")
    data = exported.read_bytes()
    start = data.index(b"AI-generated", data.index(b"<aside") if exported.suffix == ".html" else 0)
    if exported.suffix == ".md":
        start = data.index(b"> AI-generated") + 2
    edited = data[:start] + b"My" + data[start + 2 :]
    assert changed(examine(sealer, exported, edited)) == {"visible": ("labels",), "metadata": ("labels",)}


def test_a_removed_label_is_named(sealer: Sealer, exported: Path) -> None:
    if exported.suffix == ".pdf":
        pytest.skip("its text is compressed")
    text = exported.read_text()
    if exported.suffix == ".txt":
        text = text.split("\n\n", 1)[1]
    elif exported.suffix == ".md":
        text = text.replace("\n> AI-generated (AI生成)\n\n", "\n")
    else:
        text = re.sub(r"<aside.*?</aside>\n", "", text, flags=re.DOTALL)
    result = examine(sealer, exported, text.encode())
    assert changed(result) == {"visible": ("labels",), "metadata": ("labels",)}
    assert result.relation == "exact" or result.matches[0].likeness.relation == "exact"


def test_a_changed_field_is_named_as_metadata(sealer: Sealer, exported: Path) -> None:
    if exported.suffix == ".pdf":
        pytest.skip("covered by the content credentials")
    data = exported.read_bytes()
    edited = data.replace(b"PropagateID", b"PropagateIE")
    assert edited != data
    assert changed(examine(sealer, exported, edited)) == {"metadata": ("metadata",)}


@pytest.mark.parametrize("suffix", ["txt", "md"])
def test_a_damaged_line_of_metadata_does_not_hide_the_rest(
    sealer: Sealer, tmp_path: Path, record: Record, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    export(sealer, record(sealer).id, path)
    for old, new in (
        (b"AIGC:", b"AIGC;"),
        (b'"On bridges"', b"'On bridges\""),
        (b"ContentProducer", b"Content\x00roducer"),
    ):
        edited = path.read_bytes().replace(old, new, 1)
        assert changed(examine(sealer, path, edited)) == {"metadata": ("metadata",)}, old


def test_white_space_alone_is_named_as_layout(sealer: Sealer, exported: Path) -> None:
    if exported.suffix == ".pdf":
        pytest.skip("covered by the content credentials")
    edited = exported.read_bytes().replace(b"Stone is", b"Stone  is")
    assert changed(examine(sealer, exported, edited)) == {"metadata": ("layout",)}


def test_a_seal_moved_to_another_text_is_found(sealer: Sealer, tmp_path: Path, record: Record) -> None:
    path = tmp_path / "a.txt"
    export(sealer, record(sealer).id, path)
    trailer = path.read_text().rpartition("\n\n---\n")
    forged = f"AI-generated (AI生成)\n\nThe moon is made of cheese.{trailer[1]}{trailer[2]}"
    result = examine(sealer, path, forged.encode())
    assert changed(result) == {"metadata": ("text",)}
    assert result.relation == "not_found"


def test_a_quoted_seal_in_the_text_does_not_count(sealer: Sealer, tmp_path: Path, record: Record, sample: str) -> None:
    path = tmp_path / "a.txt"
    export(sealer, record(sealer).id, path)
    match = re.search(r"IS1\.[\w.-]+", path.read_text())
    assert match is not None
    other = record(sealer, f"{sample}\nThe seal of the other file was {match[0]}\n")
    export(sealer, other.id, tmp_path / "b.txt")
    result = examine(sealer, tmp_path / "b.txt")
    assert result.intact
    assert result.artifact_id == other.id


def test_another_installation_says_unknown_then_known_issuer(
    sealer: Sealer, make_sealer: MakeSealer, exported: Path
) -> None:
    there = make_sealer("there")
    result = examine(there, exported)
    layers = [layer for layer in result.layers if layer.state == "valid" and layer.issuer]
    assert {layer.issuer.kind for layer in layers if layer.issuer} == {"unknown"}
    assert result.relation == "not_found"
    assert "unknown issuer" in result.summary
    (offered,) = there.trust.read_import(sealer.trust.export())
    issuers.add(there, offered, "headquarters")
    result = examine(there, exported)
    layers = [layer for layer in result.layers if layer.state == "valid" and layer.issuer]
    assert {layer.issuer.kind for layer in layers if layer.issuer} == {"known"}
    assert {layer.name for layer in layers} == ({"metadata", "c2pa"} if exported.suffix == ".pdf" else {"metadata"})
    assert "known issuer" in result.summary


def test_files_stay_valid_after_rotation(sealer: Sealer, exported: Path) -> None:
    issuers.rotate(sealer)
    result = examine(sealer, exported)
    assert result.intact
    assert result.relation == "exact"


def test_the_very_file_is_known_by_its_hash(sealer: Sealer, exported: Path) -> None:
    assert examine(sealer, exported).layer("export").state == "valid"


def test_padding_that_no_mark_covers_is_still_found(sealer: Sealer, tmp_path: Path, record: Record) -> None:
    path = tmp_path / "a.pdf"
    export(sealer, record(sealer).id, path)
    data = bytearray(path.read_bytes())
    padding = data.index(bytes(64), data.index(b"c2pa"))
    data[padding + 30] ^= 1
    assert changed(examine(sealer, path, bytes(data))) == {"export": ("file",)}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: f"AI-generated (AI生成)\n\n{text}",
        lambda text: f"【AI生成】\n{text}",
        str.upper,
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: text.replace(".", "。").replace(",", "，"),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text),
        lambda text: re.sub(r"[*#]", "", text),
    ],
)
def test_pasted_text_is_recognised_without_any_mark(
    sealer: Sealer, record: Record, sample: str, change: Callable[[str], str]
) -> None:
    artifact = record(sealer)
    result = verify(sealer, change(sample).encode())
    assert (result.relation, result.artifact_id) == ("exact", artifact.id)
    assert result.layer("metadata").state == "absent"


def test_edited_copies_are_told_from_the_original(sealer: Sealer, record: Record, sample: str) -> None:
    artifact = record(sealer)
    for text in (
        sample.replace("suspension", "hanging"),
        sample[: len(sample) // 2],
        "Some preface of mine. " * 8 + sample,
    ):
        result = verify(sealer, text.encode())
        assert (result.relation, result.artifact_id) == ("edited", artifact.id)


def test_another_text_is_not_found_and_similar_is_not_made_here(sealer: Sealer, record: Record, sample: str) -> None:
    record(sealer)
    result = verify(sealer, b"Glaciers move slowly, and they carve valleys as they go down to the sea.")
    assert result.relation == "not_found"
    near = (
        sample.split("\n\n")[1][:60] + " but this text goes on about something else altogether, namely the price of tea"
    )
    result = verify(sealer, near.encode())
    assert result.relation in ("similar", "not_found")
    assert result.artifact_id is None
    assert "made here" not in result.summary.lower()


def test_a_short_answer_that_anybody_gives_is_only_similar(sealer: Sealer, record: Record) -> None:
    record(sealer, "The capital of France is Paris.")
    result = verify(sealer, b"The capital of France is Paris.")
    assert result.relation == "similar"
    assert result.artifact_id is None


def test_a_changed_manifest_and_a_changed_ledger_are_named(sealer: Sealer, exported: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(sealer.store.database)) as connection:
        connection.execute("UPDATE manifests SET body = replace(body, 'text/markdown', 'text/markdowm')")
        connection.commit()
    assert changed(examine(sealer, exported)) == {"manifest": ("manifest",)}
    with closing(sqlite3.connect(sealer.store.database)) as connection:
        connection.execute("DROP TRIGGER ledger_refuses_update")
        connection.execute("UPDATE ledger SET kind = 'artifact_deleted' WHERE seq = 1")
        connection.commit()
    assert changed(examine(sealer, exported)) == {"manifest": ("manifest",), "ledger": ("kind",)}


def test_a_withdrawn_artifact_is_said_to_be(sealer: Sealer, record: Record, sample: str) -> None:
    artifact = record(sealer)
    with sealer.store.transaction() as session:
        artifacts.set_state(session, artifact.id, "withdrawn")
    assert verify(sealer, sample.encode()).withdrawn


def test_a_foreign_label_is_present_not_valid(sealer: Sealer) -> None:
    foreign = (
        '---\nAIGC:\n  Label: "1"\n  ProduceID: "x"\n  ReservedCode1: "abc"\n---\n\nAI生成\n\nSomebody wrote this.\n'
    )
    result = verify(sealer, foreign.encode(), name="x.md")
    assert result.layer("metadata").state == "present"
    assert result.layer("metadata").details["aigc"]["ProduceID"] == "x"
    assert result.layer("visible").state == "present"
    assert not result.intact


@pytest.mark.parametrize("data", [b"\x00\xff\xfe", b"%PDF-1.7 garbage", b"<html>\xff", b"---\n", b"\n\n---\n---\n"])
def test_garbage_is_examined_without_an_accident(sealer: Sealer, data: bytes, record: Record) -> None:
    record(sealer)
    assert verify(sealer, data).relation == "not_found"


def test_nothing_is_refused(sealer: Sealer) -> None:
    with pytest.raises(InvalidRequest):
        verify(sealer, b"")


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7", "a.txt", "application/pdf"),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "", "text/html"),
        (b"words", "a.md", "text/markdown"),
        (b"---\ntitle: x\n---\n", "", "text/markdown"),
        (b"words", "", "text/plain"),
    ],
)
def test_formats_are_told_by_content_first(data: bytes, name: str, kind: str) -> None:
    assert sniff(data, name) == kind


def test_labels_are_taken_off_pasted_text() -> None:
    for text, bare in (
        ("> AI生成\n\nwords\n\nAI-generated\n", "words"),
        ("AI-generated content is a wide field.", "AI-generated content is a wide field."),
    ):
        assert bare_text(OpenedFile(text.encode(), "text/plain")) == bare


def test_fingerprints_that_somebody_put_there_prove_nothing(sealer: Sealer, record: Record) -> None:
    from sqlalchemy import text

    from inkseal.modalities.text import Text

    record(sealer)
    stranger = "The harbour was quiet before dawn, and only the gulls were awake above the nets. " * 4
    prints = Text().fingerprint(stranger.encode())
    with sealer.store.transaction() as session:
        for kind, value in prints.items():
            session.execute(text("UPDATE fingerprints SET value = :v WHERE kind = :k"), {"v": value, "k": kind})
    assert verify(sealer, stranger.encode()).relation == "not_found"


def test_a_signed_manifest_beside_a_file_is_verified_elsewhere(
    sealer: Sealer, make_sealer: MakeSealer, tmp_path: Path, record: Record
) -> None:
    artifact = record(sealer)
    export(sealer, artifact.id, tmp_path / "a.html", with_manifest=True)
    data = (tmp_path / "a.html.manifest.json").read_bytes()
    there = make_sealer("there")
    layer = verify(there, data).layer("manifest")
    assert layer.issuer is not None
    assert (layer.state, layer.issuer.kind, layer.artifact_id) == ("valid", "unknown", artifact.id)
    seal = examine(there, tmp_path / "a.html").layer("metadata")
    assert seal.details["manifest_sha256"] == layer.details["manifest_sha256"]
    for position in range(20, len(data), 29):
        changed_data = bytearray(data)
        changed_data[position] ^= 1
        assert verify(there, bytes(changed_data)).layer("manifest").state == "changed", data[position - 10 : position]


class Meaning:
    """An embedder that knows two topics."""

    model = SimpleNamespace(name="two-topics", sha256="2" * 64)

    def embed(self, texts: list[str]) -> Any:
        import numpy as np

        rows = [[1.0, 0.0] if "bridge" in text or "桥" in text else [0.0, 1.0] for text in texts]
        return np.array(rows, dtype=np.float32)


def test_like_meaning_is_only_ever_similar(sealer: Sealer, record: Record) -> None:
    from inkseal.store import vectors

    embedder: Any = Meaning()
    artifact = record(sealer)
    with sealer.store.transaction() as session:
        value = vectors.encode(embedder.embed(["bridge"])[0])
        vectors.put(session, embedder.model.sha256, {artifact.id: value})
    result = verify(sealer, "悬索桥用缆索吊起桥面。".encode(), embedder=embedder)
    assert (result.relation, result.artifact_id) == ("similar", None)
    assert result.matches[0].artifact_id == artifact.id
    assert verify(sealer, "鲸鱼在海里唱歌。".encode(), embedder=embedder).relation == "not_found"
