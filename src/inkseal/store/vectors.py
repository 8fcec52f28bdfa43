"""Vectors of contents by their hash: what has been read, what has not, and what is near in meaning.

Does not know how a vector is made. A vector is kept as little-endian 16-bit floats of length 1, for one model.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.store.listing import Filters, conditions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session


def encode(vector: "NDArray[Any]") -> bytes:
    """Returns a vector as it is kept."""
    return bytes(vector.astype("<f2").tobytes())


class Unread(NamedTuple):
    """An active artifact whose content has no vector yet; of several with one content the newest."""

    id: str
    sha256: str
    modality: str
    title: str


def unread(session: "Session", model: str, limit: int, *, modality: str = "", owner: str | None = None) -> list[Unread]:
    """Returns contents that have no vector yet, the newest first.

    Args:
        session: one view of the records.
        model: whose vector they lack.
        limit: how many at most.
        modality: only such contents; all when empty.
        owner: only theirs.
    """
    from sqlalchemy import func

    from inkseal.store.records import ArtifactRow

    # SQLite takes the columns that are not summed up from the row with the greatest id.
    query = _unread(model, modality, owner).add_columns(ArtifactRow.title, func.max(ArtifactRow.id))
    query = query.group_by(ArtifactRow.sha256).order_by(func.max(ArtifactRow.id).desc())
    return [Unread(newest, *content) for *content, newest in session.execute(query.limit(limit))]


def num_unread(session: "Session", model: str, *, modality: str = "", owner: str | None = None) -> int:
    """Returns how many contents have no vector yet; see `unread`."""
    from sqlalchemy import func, select

    from inkseal.store.records import ArtifactRow

    contents = _unread(model, modality, owner).with_only_columns(ArtifactRow.sha256).distinct().subquery()
    return int(session.scalar(select(func.count()).select_from(contents)) or 0)


def put(session: "Session", model: str, values: Mapping[str, bytes]) -> None:
    """Records vectors of contents by the id of the artifact that was read; of one deleted meanwhile nothing is kept.

    That others have the content is not enough: of a picture, the vector may be of the deleted one's title.
    """
    from sqlalchemy import text

    statement = text(
        "INSERT OR REPLACE INTO vectors (model, sha256, value) SELECT :model, sha256, :value"
        " FROM artifacts WHERE id = :id AND state = 'active'"
    )
    for artifact_id, value in values.items():
        session.execute(statement, {"model": model, "id": artifact_id, "value": value})


def remove(session: "Session", sha256: str) -> None:
    """Removes a content's vectors, of every model."""
    from sqlalchemy import delete

    from inkseal.store.records import VectorRow

    session.execute(delete(VectorRow).where(VectorRow.sha256 == sha256))


def nearest(
    session: "Session",
    model: str,
    vector: "NDArray[Any]",
    *,
    limit: int = 50,
    min_cosine: float = -1.0,
    filters: Filters | None = None,
    owner: str | None = None,
) -> list[tuple[str, float]]:
    """Returns (artifact id, cosine) of the nearest artifacts that have a vector, best first. Exact: looks at all.

    Args:
        session: one view of the records.
        model: whose vectors are compared.
        vector: (D) floats of length 1.
        limit: how many at most.
        min_cosine: what is less near is left out.
        filters: which artifacts to look among; the active ones when absent.
        owner: only theirs.
    """
    import numpy as np
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow, VectorRow

    query = select(ArtifactRow.id, VectorRow.value).join(VectorRow, VectorRow.sha256 == ArtifactRow.sha256)
    query = query.where(VectorRow.model == model, *conditions(filters or Filters(), owner))
    size_bytes = 2 * len(vector)
    rows = [row for row in session.execute(query).all() if len(row[1]) == size_bytes]
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(row[1] for row in rows), "<f2").reshape(len(rows), -1).astype(np.float32)
    cosines = matrix @ np.asarray(vector, np.float32)
    order = sorted(np.flatnonzero(cosines >= min_cosine), key=lambda place: (-cosines[place], rows[place][0]))
    return [(rows[place][0], round(min(float(cosines[place]), 1.0), 4)) for place in order[:limit]]


def _unread(model: str, modality: str, owner: str | None) -> "Select[str, str]":
    from sqlalchemy import and_, select

    from inkseal.store.records import ArtifactRow, VectorRow

    query = select(ArtifactRow.sha256, ArtifactRow.modality).outerjoin(
        VectorRow, and_(VectorRow.sha256 == ArtifactRow.sha256, VectorRow.model == model)
    )
    return query.where(VectorRow.sha256.is_(None), *conditions(Filters(modality=modality), owner))
