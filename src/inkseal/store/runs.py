"""Reads the records of runs."""

from datetime import datetime
from typing import TYPE_CHECKING

from inkseal.core.errors import UnknownName
from inkseal.core.types import Closed, Usage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import RunRow


class RunRecord(Closed):
    """How a run stands. `error` is the error's stable name."""

    id: str
    status: str
    error: str | None = None
    usage: Usage | None = None
    started_at: datetime
    finished_at: datetime | None = None


def get(session: "Session", run_id: str, *, owner: str | None = None) -> RunRecord:
    """Returns a run; with an owner, only one of theirs.

    Raises:
        UnknownName: there is none.
    """
    from inkseal.store.records import RunRow

    row = session.get(RunRow, run_id)
    if row is None or owner not in (None, row.owner):
        raise UnknownName("run", run_id, ())
    return _record(row)


def newest(
    session: "Session", *, limit: int = 50, before: str | None = None, owner: str | None = None
) -> list[RunRecord]:
    """Returns runs, newest first; `before` is the id the last page ended with."""
    from sqlalchemy import select

    from inkseal.store.records import RunRow

    query = select(RunRow).order_by(RunRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RunRow.id < before)
    if owner is not None:
        query = query.where(RunRow.owner == owner)
    return [_record(row) for row in session.scalars(query)]


def _record(row: "RunRow") -> RunRecord:
    return RunRecord(
        id=row.id,
        status=row.status,
        error=row.error,
        usage=Usage.model_validate_json(row.usage) if row.usage else None,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
