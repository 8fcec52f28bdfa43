"""Chunks on their way from the thread that makes them to the one that wants them; what waits is merged."""

import threading
from collections import deque

from inkseal.core.errors import InksealError
from inkseal.core.types import Chunk


class Outbox:
    """Keeps what a slow reader has not taken yet as few chunks: text of one result is joined, so it stays small."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._chunks: deque[Chunk] = deque()
        self._error: InksealError | None = None
        self._ended = False

    def put(self, chunk: Chunk) -> None:
        """Adds a chunk; joins it to the one before if that is of the same result and still unread."""
        with self._changed:
            last = self._chunks[-1] if self._chunks else None
            if last is not None and last.index == chunk.index and last.finish_reason is None:
                joined = {"text": last.text + chunk.text, "num_tokens": last.num_tokens + chunk.num_tokens}
                joined |= {"tool_calls": last.tool_calls + chunk.tool_calls, "finish_reason": chunk.finish_reason}
                joined |= {"data": last.data + chunk.data, "stopped_by": chunk.stopped_by}
                joined |= {"progress": last.progress if chunk.progress is None else chunk.progress}
                self._chunks[-1] = chunk.model_copy(update=joined)
            else:
                self._chunks.append(chunk)
            self._changed.notify()

    def fail(self, error: InksealError) -> None:
        """Makes the next `take` raise, once everything before has been taken."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify()

    def end(self) -> None:
        """Says that nothing more comes: `take` waits no longer."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """True once nothing more is put in. What is in it may still be untaken."""
        return self._ended

    def take(self, timeout_seconds: float) -> list[Chunk]:
        """Returns what has come; waits up to the timeout if there is nothing.

        Raises:
            InksealError: the error given to `fail`.
        """
        with self._changed:
            if not self._chunks and self._error is None and not self._ended:
                self._changed.wait(timeout_seconds)
            chunks = list(self._chunks)
            self._chunks.clear()
            if not chunks and self._error is not None:
                raise self._error
            return chunks
