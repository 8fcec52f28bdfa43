"""Looks for a content among the recorded ones by its fingerprints, when no mark tells where it comes from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from inkseal.core.protocols import EmbeddingEngine, Likeness, Modality
from inkseal.core.types import Closed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MEANING = "meaning"
"""Kind of the fingerprint that an embedding gives; it can only ever make a content "similar"."""

MIN_COSINE = 0.8
MAX_SCANNED = 20_000
_RANK = {"exact": 3, "edited": 2, "similar": 1, "different": 0}


class Match(Closed):
    """A recorded artifact that the examined content resembles."""

    artifact_id: str
    likeness: Likeness


def meaning(embedder: EmbeddingEngine, text: str) -> bytes:
    """Returns a text's embedding as little-endian 16-bit floats."""
    return bytes(embedder.embed([text])[0].astype("<f2").tobytes())


def find(session: "Session", modality: Modality, prints: Mapping[str, bytes], limit: int = 5) -> list[Match]:
    """Returns the recorded artifacts that a content is a copy of or resembles, best first."""
    candidates = _equal(session, prints)
    for kind, keys in modality.keys(prints).items():
        candidates |= _meeting(session, kind, keys)
    matches = []
    for artifact_id in candidates:
        likeness = modality.compare(prints, recorded(session, artifact_id))
        if likeness.relation != "different":
            matches.append(Match(artifact_id=artifact_id, likeness=likeness))
    if MEANING in prints and not any(match.likeness.relation in ("exact", "edited") for match in matches):
        known = {match.artifact_id for match in matches}
        matches += [match for match in _alike(session, prints[MEANING], limit) if match.artifact_id not in known]
    return sorted(matches, key=_order)[:limit]


def _order(match: Match) -> tuple[int, float, str]:
    return -_RANK[match.likeness.relation], -match.likeness.shared, match.artifact_id


def _equal(session: "Session", prints: Mapping[str, bytes]) -> set[str]:
    from sqlalchemy import select

    from inkseal.store.records import FingerprintRow

    query = select(FingerprintRow.artifact_id)
    found: set[str] = set()
    for kind, value in prints.items():
        if value and kind != MEANING:
            rows = session.scalars(query.where(FingerprintRow.kind == kind, FingerprintRow.value == value).limit(50))
            found.update(rows)
    return found


def _meeting(session: "Session", kind: str, keys: Sequence[bytes]) -> set[str]:
    from inkseal.store.artifacts import meeting

    return {artifact_id for artifact_id, _, _ in meeting(session, kind, list(keys), limit=50)}


def recorded(session: "Session", artifact_id: str) -> dict[str, bytes]:
    """Returns the fingerprints on record for an artifact, by kind."""
    from sqlalchemy import select

    from inkseal.store.records import FingerprintRow

    rows = session.scalars(select(FingerprintRow).where(FingerprintRow.artifact_id == artifact_id))
    return {row.kind: row.value for row in rows}


def _alike(session: "Session", value: bytes, limit: int) -> list[Match]:
    """Returns artifacts of near meaning among the newest; cosine of unit vectors."""
    import numpy as np
    from sqlalchemy import select

    from inkseal.store.records import FingerprintRow

    query = select(FingerprintRow.artifact_id, FingerprintRow.value).where(FingerprintRow.kind == MEANING)
    rows = session.execute(query.order_by(FingerprintRow.artifact_id.desc()).limit(MAX_SCANNED)).all()
    rows = [row for row in rows if len(row.value) == len(value)]
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(row.value for row in rows), "<f2").reshape(len(rows), -1).astype(np.float32)
    cosines = matrix @ np.frombuffer(value, "<f2").astype(np.float32)
    best = [i for i in np.argsort(-cosines)[:limit] if cosines[i] >= MIN_COSINE]
    return [
        Match(
            artifact_id=rows[i].artifact_id,
            likeness=Likeness(relation="similar", shared=round(float(min(cosines[i], 1.0)), 4), num_shared=0),
        )
        for i in best
    ]
