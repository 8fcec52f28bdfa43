"""Walks from artifacts to what they were made from, and to what was made from them."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from inkseal.core.types import Closed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_KEYS_AT_ONCE = 500


class Edge(Closed):
    """One step of descent."""

    parent: str
    child: str


class Walk(NamedTuple):
    """The artifacts around one.

    Attributes:
        depths: steps from it, by id: below 0 for what it was made from, above 0 for what was made from it.
        edges: between any two of them.
        truncated: there are more.
    """

    depths: dict[str, int]
    edges: list[Edge]
    truncated: bool


def parents(session: "Session", ids: Collection[str]) -> list[Edge]:
    """Returns the steps from artifacts to what they were made from, in the order they name them."""
    from sqlalchemy import select

    from inkseal.store.records import ParentRow

    found: list[Edge] = []
    for some in _portions(ids):
        query = select(ParentRow.parent_id, ParentRow.artifact_id).where(ParentRow.artifact_id.in_(some))
        rows = session.execute(query.order_by(ParentRow.artifact_id, ParentRow.position))
        found += [Edge(parent=parent, child=child) for parent, child in rows]
    return found


def children(session: "Session", ids: Collection[str], *, owner: str | None = None) -> list[Edge]:
    """Returns the steps from artifacts to what was made from them, oldest first; with an owner, to theirs."""
    from sqlalchemy import select

    from inkseal.store.records import ArtifactRow, ParentRow

    found: list[Edge] = []
    for some in _portions(ids):
        query = select(ParentRow.parent_id, ParentRow.artifact_id).where(ParentRow.parent_id.in_(some))
        if owner is not None:
            query = query.join(ArtifactRow, ArtifactRow.id == ParentRow.artifact_id).where(ArtifactRow.owner == owner)
        rows = session.execute(query.order_by(ParentRow.artifact_id))
        found += [Edge(parent=parent, child=child) for parent, child in rows]
    return found


def walk(
    session: "Session", artifact_id: str, *, max_nodes: int = 120, max_depth: int = 24, owner: str | None = None
) -> Walk:
    """Returns what an artifact was made from, and what was made from it, near ones first.

    A parent is named even where it is unknown here or another's: the child's own record names it.
    """
    depths = {artifact_id: 0}
    truncated = False
    for sign in (-1, 1):
        front = [artifact_id]
        for depth in range(1, max_depth + 1):
            edges = parents(session, front) if sign < 0 else children(session, front, owner=owner)
            reached = [edge.parent if sign < 0 else edge.child for edge in edges]
            new = [found for found in dict.fromkeys(reached) if found not in depths]
            room = max(0, (max_nodes // 2 if sign < 0 else max_nodes) - len(depths))
            truncated = truncated or len(new) > room or (depth == max_depth and bool(new))
            front = new[:room]
            depths |= dict.fromkeys(front, sign * depth)
            if not front:
                break
    edges = [edge for edge in parents(session, list(depths)) if edge.parent in depths]
    return Walk(depths, edges, truncated)


def _portions(ids: Iterable[str]) -> Iterable[list[str]]:
    every = list(ids)
    return (every[start : start + _KEYS_AT_ONCE] for start in range(0, len(every), _KEYS_AT_ONCE))
