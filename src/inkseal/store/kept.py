"""Keeps small things for a while: each for its owner alone, all together bounded, the oldest gone first."""

from datetime import timedelta
from typing import TYPE_CHECKING

from inkseal.core.clock import steady
from inkseal.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

OWNER_SHARE = 4
"""One owner may fill no more than this part of the room, so that nobody drives out what others have."""


def sweep(store: Store) -> None:
    """Removes everything whose time is over, of every kind; it is overwritten in the file.

    Raises:
        NotEnoughSpace, InUse, StoreError: nothing was removed.
    """
    from sqlalchemy import delete

    from inkseal.store.records import KeptRow

    with store.transaction() as session:
        session.execute(delete(KeptRow).where(KeptRow.expires_at <= steady()))


class Keep:
    """The kept things of one kind. Safe for several threads.

    Args:
        store: an open store, which may write.
        kind: whose room this is.
        seconds: how long a thing is kept.
        max_items: how many.
        max_bytes: how much, all together.
    """

    def __init__(self, store: Store, kind: str, *, seconds: float, max_items: int, max_bytes: int) -> None:
        self._store = store
        self._kind = kind
        self._life = timedelta(seconds=seconds)
        self._max_items = max_items
        self._max_bytes = max_bytes

    def put(self, owner: str, name: str, body: bytes) -> None:
        """Keeps a thing in place of what had the name; others may have to go for it.

        Raises:
            NotEnoughSpace, InUse, StoreError: nothing was changed.
        """
        from sqlalchemy import delete

        from inkseal.store.records import KeptRow

        moment = steady()
        mine = KeptRow.kind == self._kind
        row = KeptRow(
            kind=self._kind, owner=owner, name=name, expires_at=moment + self._life, size_bytes=len(body), body=body
        )
        with self._store.transaction() as session:
            # What would last longer than anything may is of a time when the clock was wrong.
            ended = (KeptRow.expires_at <= moment) | (KeptRow.expires_at > moment + self._life + timedelta(seconds=1))
            session.execute(delete(KeptRow).where(mine & ended))
            session.merge(row)
            session.flush()
            self._make_room(session, owner, self._max_items // OWNER_SHARE, self._max_bytes // OWNER_SHARE)
            self._make_room(session, None, self._max_items, self._max_bytes)

    def get(self, owner: str, name: str) -> bytes | None:
        """Returns the owner's thing of that name, if it is kept still."""
        from inkseal.store.records import KeptRow

        moment = steady()
        with self._store.reading() as session:
            row = session.get(KeptRow, (self._kind, owner, name))
            # The row's time has milliseconds only.
            fresh = row is not None and moment < row.expires_at <= moment + self._life + timedelta(seconds=1)
            return row.body if row is not None and fresh else None

    def remove(self, owner: str, name: str) -> bool:
        """Forgets a thing; returns whether there was one.

        Raises:
            NotEnoughSpace, InUse, StoreError: it is there still.
        """
        from inkseal.store.records import KeptRow

        with self._store.transaction() as session:
            row = session.get(KeptRow, (self._kind, owner, name))
            if row is not None:
                session.delete(row)
            return row is not None

    def _make_room(self, session: "Session", owner: str | None, max_items: int, max_bytes: int) -> None:
        """Removes the oldest until the rest is within the bounds; the newest stays, whatever its size."""
        from sqlalchemy import delete, func, select, text

        from inkseal.store.records import KeptRow

        here = KeptRow.kind == self._kind
        if owner is not None:
            here &= KeptRow.owner == owner
        count, size = session.execute(select(func.count(), func.sum(KeptRow.size_bytes)).where(here)).one()
        if count <= max_items and (size or 0) <= max_bytes:
            return
        query = select(KeptRow.owner, KeptRow.name, KeptRow.size_bytes).where(here)
        query = query.order_by(KeptRow.expires_at, text("rowid"))
        for row in session.execute(query).all()[:-1]:
            if count <= max_items and size <= max_bytes:
                return
            session.execute(delete(KeptRow).where(here & (KeptRow.owner == row.owner) & (KeptRow.name == row.name)))
            count, size = count - 1, size - row.size_bytes
