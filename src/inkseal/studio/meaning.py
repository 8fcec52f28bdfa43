"""Reads contents for their meaning, in small batches and never while one is being made, and searches by it."""

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.core.errors import InksealError, Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import EmbeddingEngine, LocalModel
from inkseal.modalities import modalities
from inkseal.store import vectors
from inkseal.store.listing import Filters
from inkseal.store.store import Store
from inkseal.studio.engines import Engines
from inkseal.studio.resources import resources

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MODEL = "embedding"
BATCH = 32
MAX_CHARS = 8000
"""Of one content; the model is made for sentences, and more would only blur."""
MIN_COSINE = 0.15
"""Below this, texts of the embedding model's sixteen languages have nothing to do with each other."""
MAX_FOUND = 1000
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
        model = key(self.model())
        num_unread = self.catch_up(owner=owner)
        vector = self._vectors([query[:MAX_CHARS]])[0]
        with self._store.reading() as session:
            found = vectors.nearest(
                session, model, vector, limit=MAX_FOUND, min_cosine=MIN_COSINE, filters=filters, owner=owner
            )
        return Near(found, num_unread)

    def catch_up(self, *, owner: str | None = None) -> int:
        """Reads for a second what nobody has read yet, leaves the rest to the background; returns how much that is.

        Raises:
            ModelMissing: the embedding model is not on this machine.
        """
        self.read(READ_AT_ONCE_SECONDS, owner=owner)
        with self._store.reading() as session:
            num_unread = vectors.num_unread(session, key(self.model()), owner=owner)
        if num_unread:
            self._go_on()
        return num_unread

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
        model = key(self.model())
        end = time.monotonic() + seconds
        num_read = 0
        while not self._closed.is_set():
            with self._reading:  # two readers would read the same
                with self._store.reading() as session:
                    batch = vectors.unread(session, model, BATCH, owner=owner)
                if not batch:
                    break
                self._read_batch(model, batch)
            num_read += len(batch)
            if time.monotonic() >= end:
                break
        return num_read

    def close(self) -> None:
        """Ends the reading in the background."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _read_batch(self, model: str, batch: list[tuple[str, str, str]]) -> None:
        texts = {sha256: self._text(sha256, modality, title) for sha256, modality, title in batch}
        spoken = {sha256: text for sha256, text in texts.items() if text.strip()}
        values = dict.fromkeys(texts, b"")
        if spoken:
            values |= zip(spoken, vectors.encode(self._vectors(list(spoken.values()))), strict=True)
        # Each row is whole by itself, and of what was deleted meanwhile `put` keeps nothing.
        with self._store.shared_transaction() as session:
            vectors.put(session, model, values)

    def _text(self, sha256: str, modality: str, title: str) -> str:
        """Returns the words of a content; of a picture, which has none, its title: what was asked for."""
        try:
            parts = modalities[modality]().parts(self._store.blobs.get(sha256))
        except InksealError as error:
            log.warning("the content %s cannot be read: %s", sha256, error.code)
            return ""
        return "\n".join(part.text for part in parts)[:MAX_CHARS] or title

    def _vectors(self, texts: list[str]) -> "NDArray[Any]":
        embedder = self.embedder()
        if embedder is None:
            raise Unsupported(say("There is no embedding model.", "没有向量模型。"))
        return embedder.embed(texts)

    def _go_on(self) -> None:
        with self._reading:
            if self._closed.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._read_on, name="inkseal-meaning", daemon=True)
            self._thread.start()

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


def key(model: LocalModel) -> str:
    """Returns under which name the vectors of a model are kept: they are no other model's."""
    return model.sha256 or model.name
