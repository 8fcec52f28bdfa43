"""Collections: named sets of artifacts. Each belongs to one owner, and for others it does not exist."""

from datetime import datetime
from typing import TYPE_CHECKING

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.language import say
from inkseal.core.types import Closed, new_id, now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import CollectionRow

MAX_COLLECTIONS = 1000
"""Of one owner."""
MAX_NAME_CHARS = 100


class Collection(Closed):
    """A named set, and how many active artifacts are in it."""

    id: str
    name: str
    created_at: datetime
    num_artifacts: int = 0


def listed(session: "Session", *, owner: str | None = None) -> list[Collection]:
    """Returns the collections, the newest first."""
    from sqlalchemy import func, select

    from inkseal.store.records import ArtifactRow, CollectedRow, CollectionRow

    active = (
        select(CollectedRow.collection_id, func.count().label("num"))
        .join(ArtifactRow, ArtifactRow.id == CollectedRow.artifact_id)
        .where(ArtifactRow.state == "active")
        .group_by(CollectedRow.collection_id)
        .subquery()
    )
    query = select(CollectionRow, func.coalesce(active.c.num, 0))
    query = query.outerjoin(active, active.c.collection_id == CollectionRow.id).order_by(CollectionRow.id.desc())
    if owner is not None:
        query = query.where(CollectionRow.owner == owner)
    return [
        Collection(id=row.id, name=row.name, created_at=row.created_at, num_artifacts=num)
        for row, num in session.execute(query)
    ]


def create(session: "Session", name: str, *, owner: str = "") -> Collection:
    """Makes an empty collection.

    Raises:
        InvalidRequest: the name is empty or too long, or there are too many collections.
    """
    from sqlalchemy import func, select

    from inkseal.store.records import CollectionRow

    mine = select(func.count()).select_from(CollectionRow).where(CollectionRow.owner == owner)
    if int(session.scalar(mine) or 0) >= MAX_COLLECTIONS:
        raise InvalidRequest(
            say(f"There are {MAX_COLLECTIONS} collections already.", f"已有 {MAX_COLLECTIONS} 个收藏夹。"),
            fix=say("Remove one first.", "请先删除一个。"),
        )
    row = CollectionRow(id=new_id(), name=_name(name), owner=owner, created_at=now())
    session.add(row)
    session.flush()
    return Collection(id=row.id, name=row.name, created_at=row.created_at)


def rename(session: "Session", collection_id: str, name: str, *, owner: str | None = None) -> None:
    """Gives a collection another name.

    Raises:
        UnknownName: there is none for this owner.
        InvalidRequest: the name is empty or too long.
    """
    _row(session, collection_id, owner).name = _name(name)
    session.flush()


def remove(session: "Session", collection_id: str, *, owner: str | None = None) -> None:
    """Removes a collection; its artifacts stay.

    Raises:
        UnknownName: there is none for this owner.
    """
    from sqlalchemy import delete

    from inkseal.store.records import CollectedRow

    row = _row(session, collection_id, owner)
    session.execute(delete(CollectedRow).where(CollectedRow.collection_id == collection_id))
    session.delete(row)
    session.flush()


def put_in(session: "Session", collection_id: str, artifact_id: str, *, owner: str | None = None) -> None:
    """Puts an artifact into a collection; harmless when it is there.

    Raises:
        UnknownName: the collection or the artifact does not exist for this owner.
    """
    from inkseal.store import artifacts
    from inkseal.store.records import CollectedRow

    _row(session, collection_id, owner)
    if artifacts.row(session, artifact_id, owner=owner).state == "deleted":
        raise UnknownName("artifact", artifact_id, ())
    session.merge(CollectedRow(collection_id=collection_id, artifact_id=artifact_id))
    session.flush()


def take_out(session: "Session", collection_id: str, artifact_id: str, *, owner: str | None = None) -> None:
    """Takes an artifact out of a collection; harmless when it is not in it.

    Raises:
        UnknownName: the collection or the artifact does not exist for this owner.
    """
    from inkseal.store import artifacts
    from inkseal.store.records import CollectedRow

    _row(session, collection_id, owner)
    artifacts.row(session, artifact_id, owner=owner)
    if found := session.get(CollectedRow, (collection_id, artifact_id)):
        session.delete(found)
        session.flush()


def _row(session: "Session", collection_id: str, owner: str | None) -> "CollectionRow":
    from inkseal.store.records import CollectionRow

    found = session.get(CollectionRow, collection_id)
    if found is None or owner not in (None, found.owner):
        raise UnknownName("collection", collection_id, ())
    return found


def _name(name: str) -> str:
    kept = " ".join(name.split())
    if not kept or len(kept) > MAX_NAME_CHARS:
        raise InvalidRequest(
            say(
                f"A collection's name has 1 to {MAX_NAME_CHARS} characters.",
                f"收藏夹名称须为 1 至 {MAX_NAME_CHARS} 个字符。",
            )
        )
    return kept
