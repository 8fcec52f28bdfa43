"""Writes and reads artifact records inside a transaction; contents are in `blobs`, facts in manifests."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from inkseal.core.errors import Deleted, UnknownName
from inkseal.core.language import say
from inkseal.core.types import Artifact

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import ArtifactRow

_KEYS_AT_ONCE = 5000  # SQLite bounds the number of values in one statement

State = Literal["active", "withdrawn", "deleted"]


def add(session: "Session", artifact: Artifact, *, model: str = "", state: State = "active", owner: str = "") -> None:
    """Records the artifact and its parents."""
    from inkseal.store.records import ArtifactRow, ParentRow

    facts = artifact.model_dump(exclude={"parents"})
    session.add(ArtifactRow(**facts, model=model, state=state, owner=owner))
    session.flush()
    session.add_all(
        ParentRow(artifact_id=artifact.id, position=i, parent_id=parent) for i, parent in enumerate(artifact.parents)
    )
    session.flush()


def row(session: "Session", artifact_id: str, *, owner: str | None = None) -> "ArtifactRow":
    """Returns the record, in whatever state; with an owner, only one of theirs.

    Raises:
        UnknownName: there is none.
    """
    from inkseal.store.records import ArtifactRow

    found = session.get(ArtifactRow, artifact_id)
    if found is None or owner not in (None, found.owner):
        raise UnknownName("artifact", artifact_id, ())
    return found


def get(session: "Session", artifact_id: str, *, owner: str | None = None) -> Artifact:
    """Returns the artifact with its parents; with an owner, only one of theirs.

    Raises:
        UnknownName: there is none.
    """
    return _artifact(session, row(session, artifact_id, owner=owner))


def gone(artifact_id: str) -> Deleted:
    """Returns the refusal of whatever needs a content that was deleted."""
    return Deleted(
        say(f"The content of {artifact_id} was deleted.", f"{artifact_id} 的内容已删除。"),
        fix=say("Its ledger entries remain: `inkseal ledger show`.", "其账本条目仍在：`inkseal ledger show`。"),
    )


def newest(
    session: "Session", *, limit: int = 50, before: str | None = None, owner: str | None = None
) -> list[Artifact]:
    """Returns active artifacts, newest first; `before` is the id the last page ended with."""
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow

    query = select(ArtifactRow).where(ArtifactRow.state == "active").order_by(ArtifactRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ArtifactRow.id < before)
    if owner is not None:
        query = query.where(ArtifactRow.owner == owner)
    return [_artifact(session, found) for found in session.scalars(query)]


def by_content(
    session: "Session", sha256: str, *, owner: str | None = None, state: State | None = None
) -> list[Artifact]:
    """Returns every artifact of that content, oldest first; with an owner, theirs, and with a state, those in it."""
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow

    query = select(ArtifactRow).where(ArtifactRow.sha256 == sha256).order_by(ArtifactRow.id)
    if owner is not None:
        query = query.where(ArtifactRow.owner == owner)
    if state is not None:
        query = query.where(ArtifactRow.state == state)
    return [_artifact(session, found) for found in session.scalars(query)]


def set_state(session: "Session", artifact_id: str, state: State) -> None:
    """Withdraws, deletes or revives; what is not active is found by no search.

    The content of a deleted artifact goes with the next `Store.sweep`; `erasure.erase` deletes all that is kept of it.
    """
    row(session, artifact_id).state = state
    session.flush()


def add_fingerprints(
    session: "Session",
    artifact_id: str,
    values: Mapping[str, bytes],
    bands: Mapping[str, Sequence[bytes]] | None = None,
) -> None:
    """Records fingerprints by kind, and the band keys under which similar ones meet."""
    from inkseal.store.records import BandRow, FingerprintRow

    session.add_all(FingerprintRow(artifact_id=artifact_id, kind=kind, value=value) for kind, value in values.items())
    pairs = {(kind, band) for kind, keys in (bands or {}).items() for band in keys}
    session.add_all(BandRow(kind=kind, band=band, artifact_id=artifact_id) for kind, band in sorted(pairs))
    session.flush()


def meeting(
    session: "Session", kind: str, keys: Sequence[bytes], limit: int = 200, *, owner: str | None = None
) -> list[tuple[str, int, bytes]]:
    """Returns (artifact id, number of shared keys, fingerprint) of those recorded under any key, most shared first.

    With an owner, of theirs.
    """
    from sqlalchemy import func, select

    from inkseal.store.records import ArtifactRow, BandRow, FingerprintRow

    shared: Counter[str] = Counter()
    unique = sorted(set(keys))
    for start in range(0, len(unique), _KEYS_AT_ONCE):
        some = unique[start : start + _KEYS_AT_ONCE]
        query = select(BandRow.artifact_id, func.count()).where(BandRow.kind == kind, BandRow.band.in_(some))
        if owner is not None:
            query = query.join(ArtifactRow, ArtifactRow.id == BandRow.artifact_id).where(ArtifactRow.owner == owner)
        for artifact_id, num_shared in session.execute(query.group_by(BandRow.artifact_id)):
            shared[artifact_id] += num_shared
    best = sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:limit]
    found = [(artifact_id, count, session.get(FingerprintRow, (artifact_id, kind))) for artifact_id, count in best]
    return [(artifact_id, count, row.value) for artifact_id, count, row in found if row is not None]


def _artifact(session: "Session", found: "ArtifactRow") -> Artifact:
    from sqlalchemy import select

    from inkseal.store.records import ParentRow

    query = select(ParentRow.parent_id).where(ParentRow.artifact_id == found.id).order_by(ParentRow.position)
    return Artifact(
        id=found.id,
        modality=found.modality,
        media_type=found.media_type,
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        created_at=found.created_at,
        title=found.title,
        parents=tuple(session.scalars(query)),
    )
