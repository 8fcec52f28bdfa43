"""Reads contents for their meaning, in small batches and never while one is being made, and searches by it."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.core.errors import InksealError, Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import EmbeddingEngine, LocalModel
from inkseal.store import vectors
from inkseal.store.listing import Filters
from inkseal.store.store import Store
from inkseal.studio.engines import Engines
from inkseal.studio.resources import resources
from inkseal.studio.spaces import Content, Space, WordSpace, picture_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MODEL = "embedding"
BATCH = 32
MAX_FOUND = 1000
RANK_OFFSET = 60
"""How little the first ranks of one space count more than the next, when rankings are joined."""
READ_AT_ONCE_SECONDS = 1.0


class Near(NamedTuple):
    """What a search by meaning found.

    Attributes:
        ranked: (artifact id, cosine), best first.
        num_unread: contents that were not looked at, because nobody has read them yet; that goes on meanwhile.
    """

    ranked: list[tuple[str, float]]
    num_unread: int


class Meaning:
    """The vectors of one installation. Safe for several threads."""

    def __init__(self, store: Store, engines: Engines) -> None:
        self._store = store
        self._engines = engines
        self._reading = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def search(self, query: str, filters: Filters, *, owner: str | None = None) -> Near:
        """Returns what is near to the query in meaning, in whatever language.

        Contents that have no vector yet are read first, for a second; the rest is read in the background.

        Raises:
            ModelMissing: the embedding model is not on this machine.
            Unsupported: no backend here runs it.
        """
        num_unread = self.catch_up(owner=owner)
        found = []
        for space in self.spaces():
            vector = space.of_query(query)
            with self._store.reading() as session:
                found.append(
                    vectors.nearest(
                        session, space.key, vector,
                        limit=MAX_FOUND, min_cosine=space.min_cosine, filters=filters, owner=owner,
                    )
                )  # fmt: skip
        return Near(joined(found), num_unread)

    def catch_up(self, *, owner: str | None = None) -> int:
        """Reads for a second what nobody has read yet, leaves the rest to the background; returns how much that is.

        Raises:
            ModelMissing: the embedding model is not on this machine.
        """
        self.read(READ_AT_ONCE_SECONDS, owner=owner)
        with self._store.reading() as session:
            num_unread = sum(
                vectors.num_unread(session, space.key, modality=space.modality, owner=owner) for space in self.spaces()
            )
        if num_unread:
            self._go_on()
        return num_unread

    def spaces(self) -> list[Space]:
        """Returns how contents can be compared here: by words, and by what pictures show where a model can tell.

        Raises:
            ModelMissing: the embedding model is not on this machine.
        """
        words = self.model()
        looks = picture_space(self._engines.local_model, words, self._vectors)
        return [WordSpace(words, self._vectors), *([looks] if looks is not None else [])]

    def model(self) -> LocalModel:
        """Returns the embedding model.

        Raises:
            ModelMissing: it is not on this machine; says how to get it.
        """
        return self._engines.local_model(MODEL)

    def embedder(self) -> EmbeddingEngine | None:
        """Returns the embedding model as an engine that loads when it is used; None when it is not here."""
        found: EmbeddingEngine | None = resources(self._engines).get("embedder")
        return found

    def read(self, seconds: float, *, owner: str | None = None) -> int:
        """Reads contents that have no vector yet, the newest first, until the time is over; returns how many.

        Raises:
            ModelMissing: the embedding model is not on this machine.
        """
        end = time.monotonic() + seconds
        num_read = 0
        for space in self.spaces():
            while not self._closed.is_set():
                with self._reading:  # two readers would read the same
                    with self._store.reading() as session:
                        batch = vectors.unread(session, space.key, BATCH, modality=space.modality, owner=owner)
                    if not batch:
                        break
                    self._read_batch(space, batch)
                num_read += len(batch)
                if time.monotonic() >= end:
                    return num_read
        return num_read

    def close(self) -> None:
        """Ends the reading in the background."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _read_batch(self, space: Space, batch: Sequence[vectors.Unread]) -> None:
        contents = {one.id: found for one in batch if (found := self._content(one)) is not None}
        values = {one.id: b"" for one in batch}
        for artifact_id, vector in zip(contents, space.of_contents(list(contents.values())), strict=True):
            if vector is not None:
                values[artifact_id] = vectors.encode(vector)
        # Each row is whole by itself, and of what was deleted meanwhile `put` keeps nothing.
        with self._store.shared_transaction() as session:
            vectors.put(session, space.key, values)

    def _content(self, one: vectors.Unread) -> Content | None:
        try:
            return Content(one.sha256, one.modality, one.title, self._store.blobs.get(one.sha256))
        except InksealError as error:
            log.warning("the content %s cannot be read: %s", one.sha256, error.code)
            return None

    def _vectors(self, texts: Sequence[str]) -> "NDArray[Any]":
        embedder = self.embedder()
        if embedder is None:
            raise Unsupported(say("There is no embedding model.", "没有向量模型。"))
        return embedder.embed(texts)

    def _go_on(self) -> None:
        with self._reading:
            if self._closed.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._read_on, name="inkseal-meaning", daemon=True)
            thread.start()
            self._thread = thread

    def _read_on(self) -> None:
        """Reads what is left, resting as long as it works: what people wait for goes first."""
        try:
            while not self._closed.is_set():
                begun = time.monotonic()
                if not self.read(0):
                    return
                self._closed.wait(time.monotonic() - begun)
        except InksealError as error:
            log.warning("contents could not be read for their meaning: %s", error.code)


def joined(rankings: Sequence[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    """Returns one ranking of several, whose cosines do not compare: each place counts 1 / (60 + rank).

    Of what stands in several, the greatest cosine is kept. Source: Cormack, Clarke and Buettcher 2009, "Reciprocal
    Rank Fusion".
    """
    if len(rankings) == 1:
        return list(rankings[0])
    counts: dict[str, float] = {}
    cosines: dict[str, float] = {}
    for ranking in rankings:
        for rank, (found, cosine) in enumerate(ranking, 1):
            counts[found] = counts.get(found, 0.0) + 1 / (RANK_OFFSET + rank)
            cosines[found] = max(cosine, cosines.get(found, -1.0))
    return [(found, cosines[found]) for found in sorted(counts, key=lambda found: (-counts[found], found))]
