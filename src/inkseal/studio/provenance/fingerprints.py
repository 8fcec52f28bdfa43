"""Looks for a content among the recorded ones by its fingerprints, when no mark tells where it comes from."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.core.protocols import EmbeddingEngine, Modality
from inkseal.core.types import Closed, Likeness
from inkseal.store import artifacts, vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

MIN_COSINE = 0.8
_RANK = {"exact": 4, "copy": 3, "edited": 2, "similar": 1, "different": 0}


class Match(Closed):
    """A recorded artifact that the examined content resembles."""

    artifact_id: str
    likeness: Likeness


class Sense(NamedTuple):
    """What a content means, to one embedding model; it can only ever make a content "similar"."""

    model: str
    vector: "NDArray[Any]"


def sense(embedder: EmbeddingEngine, text: str) -> Sense:
    """Returns what a text means."""
    return Sense(embedder.model.sha256 or embedder.model.name, embedder.embed([text])[0])


def find(
    session: "Session",
    modality: Modality,
    prints: Mapping[str, bytes],
    limit: int = 5,
    *,
    sense: Sense | None = None,
    owner: str | None = None,
) -> list[Match]:
    """Returns the recorded artifacts that a content is a copy of or resembles, best first; with an owner, of theirs."""
    candidates = _equal(session, prints, owner)
    for kind, keys in modality.keys(prints).items():
        candidates |= _meeting(session, kind, keys, owner)
    matches = []
    for artifact_id, theirs in _recorded(session, candidates).items():
        likeness = modality.compare(prints, theirs)
        if likeness.relation != "different":
            matches.append(Match(artifact_id=artifact_id, likeness=likeness))
    if sense is not None and not any(match.likeness.relation in ("exact", "copy", "edited") for match in matches):
        known = {match.artifact_id for match in matches}
        matches += [match for match in _alike(session, sense, limit, owner) if match.artifact_id not in known]
    return sorted(matches, key=_order)[:limit]


def _order(match: Match) -> tuple[int, float, str]:
    return -_RANK[match.likeness.relation], -match.likeness.shared, match.artifact_id


def _equal(session: "Session", prints: Mapping[str, bytes], owner: str | None) -> set[str]:
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow, FingerprintRow

    query = select(FingerprintRow.artifact_id)
    if owner is not None:  # others' equal ones must not fill the limit
        query = query.join(ArtifactRow, ArtifactRow.id == FingerprintRow.artifact_id).where(ArtifactRow.owner == owner)
    found: set[str] = set()
    for kind, value in prints.items():
        if value:
            rows = session.scalars(query.where(FingerprintRow.kind == kind, FingerprintRow.value == value).limit(50))
            found.update(rows)
    return found


def _meeting(session: "Session", kind: str, keys: Sequence[bytes], owner: str | None) -> set[str]:
    return {artifact_id for artifact_id, _, _ in artifacts.meeting(session, kind, list(keys), limit=50, owner=owner)}


def recorded(session: "Session", artifact_id: str) -> dict[str, bytes]:
    """Returns the fingerprints on record for an artifact, by kind."""
    return _recorded(session, [artifact_id]).get(artifact_id, {})


def _recorded(session: "Session", artifact_ids: Collection[str]) -> dict[str, dict[str, bytes]]:
    from sqlalchemy import select

    from inkseal.store.records import FingerprintRow

    found: dict[str, dict[str, bytes]] = {}
    row = FingerprintRow
    query = select(row.artifact_id, row.kind, row.value).where(row.artifact_id.in_(artifact_ids))
    for artifact_id, kind, value in session.execute(query):
        found.setdefault(artifact_id, {})[kind] = value
    return found


def _alike(session: "Session", sense: Sense, limit: int, owner: str | None) -> list[Match]:
    """Returns artifacts of near meaning among those that were read."""
    near = vectors.nearest(session, sense.model, sense.vector, limit=limit, min_cosine=MIN_COSINE, owner=owner)
    return [
        Match(artifact_id=artifact_id, likeness=Likeness(relation="similar", shared=cosine, num_shared=0))
        for artifact_id, cosine in near
    ]
