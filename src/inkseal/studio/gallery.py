"""Everything that was made, as people look for it: lists, searches by words and by meaning, and lines of descent."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from inkseal.core.errors import TrustError, UnknownName
from inkseal.core.types import Action, Closed
from inkseal.modalities.text.segmentation import segment
from inkseal.store import artifacts, descent, listing, words
from inkseal.store.artifacts import State
from inkseal.store.descent import Edge
from inkseal.store.durable import open_no_link
from inkseal.store.listing import Facet, Filters, Listed
from inkseal.studio.meaning import Meaning
from inkseal.studio.provenance.ledger import Entry
from inkseal.studio.provenance.sealer import Sealer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EXCERPT_CHARS = 240
ID_CHARS = 26
EXCERPT_BYTES = 1200
By = Literal["words", "meaning"]


class Found(Closed):
    """One page of what there is.

    Attributes:
        artifacts: newest first; of a search, best first.
        next: what to give as `before` for the next page; None at the end.
        total: how many there are on all pages; only on the first.
        num_unread: contents that a search by meaning did not look at, because they are still being read.
    """

    artifacts: tuple[Listed, ...]
    next: str | None = None
    total: int | None = None
    num_unread: int = 0


class Node(Closed):
    """One artifact in a line of descent.

    Attributes:
        state: as recorded; "elsewhere" when there is no record of it here for who asks.
        depth: below 0 for what the artifact was made from, above 0 for what was made from it.
        valid: whether its manifest is as it was signed; None when there is none.
    """

    id: str
    depth: int
    state: State | Literal["elsewhere"]
    title: str = ""
    modality: str = ""
    created_at: datetime | None = None
    app: str = ""
    verdict: Action = "allow"
    model: str = ""
    model_sha256: str | None = None
    licence: str = ""
    valid: bool | None = None


class Descent(Closed):
    """Where an artifact comes from and what became of it, as the records say."""

    artifact_id: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    truncated: bool
    history: tuple[Entry, ...]
    """The ledger's entries on the artifact itself: sealed, exported, deleted."""


class Gallery:
    """What was made in one installation. With an owner, the things of others do not exist."""

    def __init__(self, sealer: Sealer, meaning: Meaning) -> None:
        self._sealer = sealer
        self._store = sealer.store
        self._meaning = meaning

    def page(
        self,
        filters: Filters,
        query: str = "",
        by: By = "words",
        *,
        limit: int = 50,
        before: str | None = None,
        owner: str | None = None,
    ) -> Found:
        """Returns one page of what the filters leave, or of what is found among that.

        Args:
            filters: what to narrow it to.
            query: what to look for; all when empty.
            by: words (in Chinese and English) or meaning (across languages).
            limit: how many on a page.
            before: `next` of the page before; a number jumps so far into the list.
            owner: only theirs.

        Raises:
            ModelMissing: a search by meaning needs the embedding model.
        """
        is_number = before is not None and len(before) < ID_CHARS
        skip = int(before) if before is not None and is_number else 0
        if not query.strip():
            return self._newest(filters, limit, None if is_number else before, skip, owner)
        if by == "meaning":
            return self._by_meaning(query, filters, limit, skip, owner)
        query_words = segment(query)
        begun = query[-1:].isalnum()
        with self._store.reading() as session:
            ids = words.search(session, query_words, limit, owner=owner, filters=filters, skip=skip, begun=begun)
            total = None
            if not skip:
                total = words.total(session, query_words, owner=owner, filters=filters, begun=begun)
            found = listing.of(session, ids, owner=owner)
        return Found(artifacts=self._with_excerpts(found), next=_next(ids, limit, skip), total=total)

    def facets(self, *, owner: str | None = None, steps: bool = True) -> dict[str, tuple[Facet, ...]]:
        """Returns, for each filter, the values there are."""
        with self._store.reading() as session:
            return listing.facets(session, owner=owner, steps=steps)

    def one(self, artifact_id: str, *, owner: str | None = None) -> Listed:
        """Returns one artifact as a list shows it, in whatever state.

        Raises:
            UnknownName: there is none.
        """
        with self._store.reading() as session:
            artifacts.row(session, artifact_id, owner=owner)
            (found,) = listing.of(session, [artifact_id], owner=owner)
        return self._with_excerpts([found])[0]

    def descent(self, artifact_id: str, *, owner: str | None = None) -> Descent:
        """Returns the artifact's line of descent, and what the ledger says of it.

        Raises:
            UnknownName: there is none.
        """
        with self._store.reading() as session:
            artifacts.row(session, artifact_id, owner=owner)
            walk = descent.walk(session, artifact_id, owner=owner)
            known = {item.id: item for item in listing.of(session, list(walk.depths), owner=owner)}
            nodes = [self._node(session, found, depth, known.get(found)) for found, depth in walk.depths.items()]
            history = tuple(self._sealer.ledger.of(session, artifact_id))
        return Descent(
            artifact_id=artifact_id,
            nodes=tuple(nodes),
            edges=tuple(walk.edges),
            truncated=walk.truncated,
            history=history,
        )

    def _newest(self, filters: Filters, limit: int, before: str | None, skip: int, owner: str | None) -> Found:
        with self._store.reading() as session:
            found = listing.page(session, filters, limit=limit, before=before, skip=skip, owner=owner)
            total = listing.total(session, filters, owner=owner) if before is None and not skip else None
        after = found[-1].id if len(found) == limit else None
        return Found(artifacts=self._with_excerpts(found), next=after, total=total)

    def _by_meaning(self, query: str, filters: Filters, limit: int, skip: int, owner: str | None) -> Found:
        near = self._meaning.search(query, filters, owner=owner)
        scores = dict(near.ranked[skip : skip + limit])
        with self._store.reading() as session:
            found = listing.of(session, list(scores), owner=owner)
        scored = [item.model_copy(update={"score": scores[item.id]}) for item in found]
        return Found(
            artifacts=self._with_excerpts(scored),
            next=_next(list(scores), limit, skip),
            total=None if skip else len(near.ranked),
            num_unread=near.num_unread,
        )

    def _with_excerpts(self, found: list[Listed]) -> tuple[Listed, ...]:
        return tuple(item.model_copy(update={"excerpt": self._excerpt(item)}) for item in found)

    def _excerpt(self, item: Listed) -> str:
        if item.state != "active" or not item.media_type.startswith("text/"):
            return ""
        try:
            with open(open_no_link(self._store.blobs.path(item.sha256)), "rb") as file:  # noqa: PTH123 - a handle
                start = file.read(EXCERPT_BYTES).decode("utf-8", "ignore")
        except OSError:
            return ""  # missing or damaged: reading the content itself says so
        return start if len(start) <= EXCERPT_CHARS else start[: EXCERPT_CHARS - 1] + "…"

    def _node(self, session: "Session", artifact_id: str, depth: int, item: Listed | None) -> Node:
        if item is None:
            return Node(id=artifact_id, depth=depth, state="elsewhere")
        shared = {name: getattr(item, name) for name in Node.model_fields if name in Listed.model_fields}
        try:
            model = self._sealer.load(session, artifact_id).manifest.model
        except UnknownName:
            return Node(**shared, depth=depth)
        except TrustError:
            return Node(**shared, depth=depth, valid=False)
        if model is None:
            return Node(**shared, depth=depth, valid=True)
        return Node(**shared, depth=depth, valid=True, model_sha256=model.sha256, licence=model.licence)


def _next(ids: list[str], limit: int, skip: int) -> str | None:
    return str(skip + limit) if len(ids) == limit else None
