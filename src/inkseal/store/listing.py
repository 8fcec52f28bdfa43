"""Lists artifacts as the gallery shows them: by filters, newest first, page after page, with what their records say."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from inkseal.core.types import Action, Artifact, Closed, Stage, Verdict
from inkseal.store.artifacts import State

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.orm import Session

RANK: dict[Action, int] = {"allow": 0, "flag": 1, "redact": 2, "block": 3}


class Flag(Closed):
    """A check that did not simply allow the artifact or its prompt."""

    check: str
    stage: Stage
    action: Action


class Listed(Artifact):
    """An artifact with what a list shows beside it."""

    model: str = ""
    app: str = ""
    regime: str = ""
    state: State = "active"
    verdict: Action = "allow"
    flags: tuple[Flag, ...] = ()
    collections: tuple[str, ...] = ()
    """Ids of the collections that hold it."""
    excerpt: str = ""
    """How its content begins, where that is text."""
    score: float | None = None
    """How near it is in meaning to what was searched for: a cosine."""


class Filters(Closed):
    """What a list is narrowed to; what is empty narrows nothing."""

    modality: str = Field("", max_length=32)
    model: str = Field("", max_length=200)
    app: str = Field("", max_length=200)
    regime: str = Field("", max_length=16)
    verdict: Literal["", "allow", "flag", "redact", "block"] = ""
    """The strictest action of any check."""
    check: str = Field("", max_length=64)
    """A check that did not simply allow it."""
    collection: str = Field("", max_length=26)
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    state: State = "active"
    steps: bool = True
    """Also the answers of an app's steps, of which its result is made."""


class Facet(Closed):
    """One value that a filter may take, and how many artifacts have it."""

    value: str
    count: int


def conditions(filters: Filters, owner: str | None = None) -> "list[ColumnElement[bool]]":
    """Returns the conditions on `artifacts` that the filters stand for; with an owner, only theirs."""
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow, CollectedRow, CollectionRow, FlagRow

    found: list[Any] = [ArtifactRow.state == filters.state]
    if owner is not None:
        found.append(ArtifactRow.owner == owner)
    columns = ("modality", "model", "app", "regime", "verdict")
    found += [getattr(ArtifactRow, name) == value for name in columns if (value := getattr(filters, name))]
    if filters.check:
        found.append(ArtifactRow.id.in_(select(FlagRow.artifact_id).where(FlagRow.check_name == filters.check)))
    if filters.collection:
        held = select(CollectedRow.artifact_id).where(CollectedRow.collection_id == filters.collection)
        if owner is not None:
            held = held.join(CollectionRow, CollectionRow.id == CollectedRow.collection_id)
            held = held.where(CollectionRow.owner == owner)
        found.append(ArtifactRow.id.in_(held))
    if not filters.steps:
        found.append(ArtifactRow.step == "")
    if filters.since is not None:
        found.append(ArtifactRow.created_at >= filters.since)
    if filters.until is not None:
        found.append(ArtifactRow.created_at < filters.until)
    return found


def page(
    session: "Session",
    filters: Filters,
    *,
    limit: int = 50,
    before: str | None = None,
    skip: int = 0,
    owner: str | None = None,
) -> list[Listed]:
    """Returns what the filters leave, newest first; `before` is the id the last page ended with.

    `skip` jumps into the middle instead; it costs a step for each one that is skipped.
    """
    from inkseal.store.records import ArtifactRow

    query = _columns().where(*conditions(filters, owner)).order_by(ArtifactRow.id.desc()).limit(limit).offset(skip)
    if before is not None:
        query = query.where(ArtifactRow.id < before)
    return _listed(session, session.execute(query).all(), owner)


def total(session: "Session", filters: Filters, *, owner: str | None = None) -> int:
    """Returns how many artifacts the filters leave."""
    from sqlalchemy import func, select

    from inkseal.store.records import ArtifactRow

    query = select(func.count()).select_from(ArtifactRow).where(*conditions(filters, owner))
    return int(session.scalar(query) or 0)


def of(session: "Session", ids: Sequence[str], *, owner: str | None = None) -> list[Listed]:
    """Returns the artifacts of these ids in their order; those that are not there are left out."""
    from inkseal.store.records import ArtifactRow

    query = _columns().where(ArtifactRow.id.in_(ids))
    if owner is not None:
        query = query.where(ArtifactRow.owner == owner)
    found = {item.id: item for item in _listed(session, session.execute(query).all(), owner)}
    return [found[artifact_id] for artifact_id in ids if artifact_id in found]


def facets(session: "Session", *, owner: str | None = None, steps: bool = True) -> dict[str, tuple[Facet, ...]]:
    """Returns, for each filter, the values that active artifacts have, the most frequent first."""
    from sqlalchemy import func, select

    from inkseal.store.records import ArtifactRow, FlagRow

    own = conditions(Filters(steps=steps), owner)
    found: dict[str, tuple[Facet, ...]] = {}
    for name in ("modality", "model", "app", "regime", "verdict"):
        column = getattr(ArtifactRow, name)
        found[name] = _facets(session.execute(select(column, func.count()).where(*own).group_by(column)).all())
    checks = (
        select(FlagRow.check_name, func.count(FlagRow.artifact_id.distinct()))
        .join(ArtifactRow, ArtifactRow.id == FlagRow.artifact_id)
        .where(*own)
        .group_by(FlagRow.check_name)
    )
    return found | {"check": _facets(session.execute(checks).all())}


def note_facts(
    session: "Session",
    artifact_id: str,
    regime: str,
    verdicts: Sequence[Verdict],
    app: str = "",
    step: str = "",
) -> None:
    """Records what the gallery filters a sealed artifact by."""
    from inkseal.store.artifacts import row
    from inkseal.store.records import FlagRow

    strictest: dict[tuple[str, Stage], Action] = {}
    for verdict in verdicts:
        at = (verdict.check, verdict.stage)
        strictest[at] = max(strictest.get(at, "allow"), verdict.action, key=lambda action: RANK[action])
    found = row(session, artifact_id)
    found.regime, found.app, found.step = regime, app, step
    found.verdict = max(strictest.values(), key=lambda action: RANK[action], default="allow")
    session.add_all(
        FlagRow(artifact_id=artifact_id, check_name=check, stage=stage, action=action)
        for (check, stage), action in strictest.items()
        if action != "allow"
    )
    session.flush()


def _columns() -> "Select[Any]":
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow

    shown = set(Listed.model_fields) & {column.key for column in ArtifactRow.__table__.columns}
    return select(*(getattr(ArtifactRow, name) for name in sorted(shown)))


def _listed(session: "Session", rows: "Sequence[Row[Any]]", owner: str | None) -> list[Listed]:
    from sqlalchemy import select

    from inkseal.store.records import CollectedRow, CollectionRow, FlagRow, ParentRow

    ids = [row.id for row in rows]
    parents = select(ParentRow.artifact_id, ParentRow.parent_id).where(ParentRow.artifact_id.in_(ids))
    flags = select(FlagRow.artifact_id, FlagRow.check_name, FlagRow.stage, FlagRow.action)
    held = select(CollectedRow.artifact_id, CollectedRow.collection_id).where(CollectedRow.artifact_id.in_(ids))
    if owner is not None:
        held = held.join(CollectionRow, CollectionRow.id == CollectedRow.collection_id)
        held = held.where(CollectionRow.owner == owner)
    parents_of = _grouped(session.execute(parents.order_by(ParentRow.position)).all())
    flags_of = _grouped(session.execute(flags.where(FlagRow.artifact_id.in_(ids)).order_by(FlagRow.check_name)).all())
    held_in = _grouped(session.execute(held).all())
    return [
        Listed(
            **row._mapping,
            parents=tuple(parent for (parent,) in parents_of.get(row.id, ())),
            flags=tuple(Flag(check=c, stage=s, action=a) for c, s, a in flags_of.get(row.id, ())),
            collections=tuple(collection for (collection,) in held_in.get(row.id, ())),
        )
        for row in rows
    ]


def _grouped(rows: Sequence[Any]) -> Mapping[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(tuple(row[1:]))
    return found


def _facets(rows: Sequence[Any]) -> tuple[Facet, ...]:
    counts = sorted(((value, count) for value, count in rows if value), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Facet(value=value, count=count) for value, count in counts)
