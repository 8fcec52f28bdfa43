"""What every mark promises, whichever it is."""

from pathlib import Path

import pytest

from inkseal.core.protocols import Mark, Rendering, Seal
from inkseal.modalities import modalities
from inkseal.studio.provenance.marks import marks
from inkseal.studio.provenance.sealer import LAYERS
from inkseal.studio.provenance.signer import Signer
from inkseal.studio.provenance.trust import Trust
from picture_file_maker import picture_file

WRITERS = [writer for modality in modalities.values() for writer in modality().writers().values()]
SEAL = Seal(
    artifact_id="0" * 26,
    regime="both",
    title="A title",
    producer="",
    model="a model",
    language="en",
    created_at="2026-01-01T00:00:00.000Z",
    content_sha256="0" * 64,
    manifest_sha256="1" * 64,
    manifest={"artifact_id": "0" * 26},
)
WORDS = b"Some words about nothing much."


def plain(kind: str) -> Rendering:
    """Returns something that a file of the media type can hold."""
    content = picture_file() if kind.startswith("image/") else WORDS
    return Rendering(content=content, title="A title", language="en")


@pytest.fixture(params=sorted(marks))
def mark(request: pytest.FixtureRequest, signer: Signer) -> Mark:
    return marks[request.param](signer=signer)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    found = Signer(Trust(tmp_path))
    found.trust.identity()
    return found


def seal_now() -> Seal:
    from inkseal.core.types import now
    from inkseal.studio.provenance.manifest import iso

    return SEAL.model_copy(update={"created_at": iso(now())})


def test_declares_itself(mark: Mark) -> None:
    assert marks[mark.name] is type(mark)
    assert mark.layer in LAYERS
    assert mark.regimes


def test_supports_some_format_of_ours(mark: Mark) -> None:
    assert any(mark.supports(writer.media_type) for writer in WRITERS)
    assert not mark.supports("application/x-nothing")


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_is_found_again_where_it_was_put_and_nowhere_else(mark: Mark, writer: type, signer: Signer) -> None:
    kind = writer.media_type  # type: ignore[attr-defined]
    assert mark.find(writer().write(plain(kind)), kind) is None
    if not mark.supports(kind):
        return
    seal = seal_now()
    # A label alone is only present; the seal beside it makes it checkable.
    together = [mark] if mark.name == "metadata" else [marks["metadata"](signer=signer), mark]
    rendering = plain(kind)
    for each in together:
        rendering = each.before(rendering, seal)
    data = writer().write(rendering)
    for each in together:
        data = each.after(data, kind, seal)
    found = mark.find(data, kind)
    assert found is not None
    assert (found.mark, found.state) == (mark.name, "valid")
    assert found.artifact_id == seal.artifact_id


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_does_not_lose_the_content(mark: Mark, writer: type) -> None:
    kind = writer.media_type  # type: ignore[attr-defined]
    if not mark.supports(kind):
        return
    seal = seal_now()
    data = mark.after(writer().write(mark.before(plain(kind), seal)), kind, seal)
    shown = writer().read(data).content
    if kind.startswith("image/"):
        modality = modalities["image"]()
        likeness = modality.compare(modality.fingerprint(shown), modality.fingerprint(plain(kind).content))
        assert likeness.relation == ("copy" if kind == "image/jpeg" else "exact")
    else:
        assert WORDS.decode() in shown.decode().replace("\n", " ")


@pytest.mark.parametrize("data", [b"", b"garbage", b"%PDF-1.7\n/C2PA_Manifest c2pa", b"<html>", b"---\nAIGC: x\n---\n"])
@pytest.mark.parametrize("kind", ["text/plain", "text/markdown", "text/html", "application/pdf", "image/png"])
def test_garbage_is_never_valid(mark: Mark, data: bytes, kind: str) -> None:
    found = mark.find(data, kind)
    assert found is None or found.state != "valid"
