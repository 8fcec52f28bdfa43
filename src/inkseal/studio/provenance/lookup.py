"""Looks a file up among what was made here: takes off our labels, and compares what is left with the records."""

from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.core.protocols import EmbeddingEngine
from inkseal.modalities import modalities
from inkseal.studio.provenance import fingerprints
from inkseal.studio.provenance.fingerprints import Match
from inkseal.studio.provenance.marks.visible import is_label
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.sealer import Sealer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Relation = Literal["exact", "copy", "edited", "similar", "not_found"]
_HEADS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


def sniff(data: bytes, name: str = "") -> str:
    """Returns the media type by the content, and by the name where the content leaves it open."""
    for head, media_type in _HEADS:
        if data.startswith(head):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if data[:1024].find(b"%PDF-") >= 0:
        return "application/pdf"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    suffix = PurePath(name).suffix.lower()
    # A picture has its head; a name alone makes none.
    for writer in modalities["text"]().writers().values():
        if writer.suffix == suffix:
            return writer.media_type
    return "text/markdown" if start.startswith(b"---\n") else "text/plain"


def bare_text(file: OpenedFile) -> str | None:
    """Returns the words of a file without our labels; None when it holds no text that can be read."""
    try:
        content = file.rendering.content
    except InvalidRequest:
        content = file.data
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    while lines and (not lines[0].strip() or is_label(lines[0])):
        lines.pop(0)
    while lines and (not lines[-1].strip() or is_label(lines[-1])):
        lines.pop()
    return "\n".join(lines)


def look_up(
    sealer: Sealer,
    session: "Session",
    file: OpenedFile,
    embedder: EmbeddingEngine | None = None,
    owner: str | None = None,
) -> tuple[Relation, list[Match]]:
    """Returns the best relation to anything recorded, and the artifacts concerned.

    Raises:
        InvalidRequest: it is a picture that cannot be read.
    """
    modality = file.modality or modalities["text"]()
    sense = None
    if modality.name == "text":
        text = bare_text(file)
        if text is None or not text.strip():
            return "not_found", []
        prints = modality.fingerprint(text.encode())
        sense = fingerprints.sense(embedder, text) if embedder is not None else None
    else:
        prints = modality.fingerprint(file.content)
    found = fingerprints.find(session, modality, prints, sense=sense, owner=owner)
    matches = [match for match in found if _vouched(sealer, session, match)]
    best = matches[0].likeness.relation if matches else "different"
    return ("not_found" if best == "different" else best), matches


def _vouched(sealer: Sealer, session: "Session", match: Match) -> bool:
    """False when the recorded fingerprints are not those that the signed manifest names: somebody put them there."""
    try:
        signed = sealer.load(session, match.artifact_id).manifest.fingerprints
    except (TrustError, UnknownName):
        return True  # the layers say what is wrong with the record
    recorded = fingerprints.recorded(session, match.artifact_id)
    return all(sha256(recorded.get(kind, b"")).hexdigest() == digest for kind, digest in signed.items())
