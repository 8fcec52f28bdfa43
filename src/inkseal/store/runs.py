"""Reads the records of runs."""

import json
import statistics
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from inkseal.core.errors import UnknownName
from inkseal.core.types import Closed, Regime, Usage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import RunRow


class Pace(Closed):
    """How fast a model was in the runs of this installation, as its callers had it; medians."""

    num_runs: int
    tokens_per_second: float
    first_token_seconds: float


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


def regime(session: "Session", run_id: str) -> Regime | None:
    """Returns the labelling rules that a run was asked with; None when its request named none."""
    from inkseal.store.records import RunRow

    row = session.get(RunRow, run_id)
    found: Regime | None = json.loads(row.request).get("regime") if row is not None else None
    return found


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


MIN_TOKENS = 16
"""Shorter answers say more about the clock than about the model."""


def paces(session: "Session", *, num_runs: int = 50, look_at: int = 2000) -> dict[str, Pace]:
    """Returns the pace of each model, over its last `num_runs` single answers among the last `look_at` runs."""
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow, RunRow

    query = (
        select(ArtifactRow.model, RunRow.usage, RunRow.request)
        .join(RunRow, RunRow.id == ArtifactRow.id)
        .where(RunRow.status == "finished")
        .order_by(RunRow.id.desc())
        .limit(look_at)
    )
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for model, usage, request in session.execute(query):
        pair = _pace(Usage.model_validate_json(usage or "{}"), json.loads(request).get("n", 1))
        if pair is not None and len(seen[model]) < num_runs:
            seen[model].append(pair)
    return {
        model: Pace(
            num_runs=len(pairs),
            tokens_per_second=round(statistics.median(rate for rate, _ in pairs), 1),
            first_token_seconds=round(statistics.median(first for _, first in pairs), 3),
        )
        for model, pairs in seen.items()
        if pairs
    }


def tokens_since(session: "Session", moment: datetime) -> dict[str, int]:
    """Returns how many tokens, of prompts and answers, the runs of each owner took since a moment."""
    from sqlalchemy import func, select

    from inkseal.store.records import RunRow

    taken = func.sum(
        func.json_extract(RunRow.usage, "$.prompt_tokens") + func.json_extract(RunRow.usage, "$.completion_tokens")
    )
    query = select(RunRow.owner, taken).where(RunRow.started_at >= moment, RunRow.usage.is_not(None))
    return {owner: int(total or 0) for owner, total in session.execute(query.group_by(RunRow.owner))}


def _pace(usage: Usage, num_results: int) -> tuple[float, float] | None:
    """Returns tokens per second between first and last token, and seconds to the first; None when nobody can tell."""
    first = usage.first_chunk_seconds
    if num_results != 1 or first is None or usage.completion_tokens < MIN_TOKENS or usage.total_seconds <= first:
        return None
    return (usage.completion_tokens - 1) / (usage.total_seconds - first), first


def _record(row: "RunRow") -> RunRecord:
    return RunRecord(
        id=row.id,
        status=row.status,
        error=row.error,
        usage=Usage.model_validate_json(row.usage) if row.usage else None,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
