"""An engine that lives in a process of its own, and looks from here like any other.

Its crash, its lack of memory and its eviction touch only its own requests, and its memory is free when it is closed.
"""

from collections.abc import Generator, Mapping, Sequence
from queue import Empty
from typing import TYPE_CHECKING, Any

import psutil

from inkseal.core.errors import Cancelled
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Engine, LocalModel
from inkseal.core.types import Chunk, Request, Usage
from inkseal.runtime.engine_link import Call, EngineLink
from inkseal.runtime.engine_wire import split_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

POLL_SECONDS = 0.05
STOP_LOADING_SECONDS = 5.0
MAX_TEXTS = 4096
MAX_TEXT_CHARS = 2 << 20


class EngineProcess:
    """Implements `Engine`: what all engines in processes of their own have."""

    def __init__(self, model: LocalModel, link: EngineLink) -> None:
        self.model = model
        self.link = link

    @property
    def alive(self) -> bool:
        """False once its process has ended; it does not come back, load it again."""
        return self.link.alive

    @property
    def pid(self) -> int:
        """Its process."""
        return self.link.pid

    @property
    def memory_bytes(self) -> int | None:
        """What its process holds in memory now; None once it has ended."""
        try:
            return int(psutil.Process(self.link.pid).memory_info().rss)
        except psutil.Error:
            return None

    def close(self) -> None:
        """Ends the process; running requests end with EngineFailed. Its memory is free when this returns."""
        self.link.close()

    def _result(self, call: Call) -> Any:
        while not call.box.ended:
            call.box.take(POLL_SECONDS)
        return call.result


class GenerativeProcess(EngineProcess):
    """Implements `GenerativeEngine`."""

    def generate(self, request: Request, cancel: Cancel) -> Generator[Chunk, None, Usage]:
        """Yields the chunks of all results; see `GenerativeEngine.generate`.

        Raises:
            EngineFailed: the process ended; the engine must be loaded again.
        """
        call = self.link.call("generate", request.modality, request.model_dump(mode="json"))
        try:
            while True:
                ended = call.box.ended
                yield from call.box.take(POLL_SECONDS)
                if ended:
                    usage: Usage = call.result
                    return usage
                if cancel.is_set():
                    self.link.cancel(call)
        finally:
            self.link.cancel(call)

    def count_tokens(self, request: Request) -> int:
        """Returns the exact number of prompt tokens."""
        return int(self._result(self.link.call("count", request.modality, request.model_dump(mode="json"))))


class EmbeddingProcess(EngineProcess):
    """Implements `EmbeddingEngine`."""

    def embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Returns (B, D) float32 rows of length 1, in the order given.

        Raises:
            EngineFailed: the process ended; the engine must be loaded again.
        """
        import numpy as np

        groups = split_texts(texts, MAX_TEXTS, MAX_TEXT_CHARS) or [[]]
        return np.concatenate([self._result(self.link.call("embed", group)) for group in groups])

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Returns how many tokens `embed` reads of the texts, all together."""
        groups = split_texts(texts, MAX_TEXTS, MAX_TEXT_CHARS)
        return sum(int(self._result(self.link.call("count", group))) for group in groups)


KINDS: dict[str, type[EngineProcess]] = {"generate": GenerativeProcess, "embed": EmbeddingProcess}


def start_engine(
    worker: str, values: Mapping[str, Any], model: LocalModel, on_event: Listener, cancel: Cancel
) -> Engine:
    """Starts a process that loads an engine, and returns what stands for it here.

    Args:
        worker: the module that the process runs.
        values: what its `load` is told.
        on_event: hears of the loading, in this thread.

    Raises:
        Cancelled: somebody asked for it.
        EngineFailed: the process ended.
        InksealError: whatever the loading raised.
    """
    link = EngineLink(worker)
    try:
        call = link.call("load", dict(values))
        while True:
            ended = call.box.ended
            _hear(call, on_event)
            if ended:
                return KINDS[call.result](model, link)
            call.box.take(POLL_SECONDS)
            if cancel.is_set():
                _stop_loading(link, call)
    except BaseException:
        link.close()
        raise


def _hear(call: Call, on_event: Listener) -> None:
    while True:
        try:
            on_event(call.events.get_nowait())
        except Empty:
            return


def _stop_loading(link: EngineLink, call: Call) -> None:
    """Gives the loading a moment to stop by itself, which it does with its own error.

    Raises:
        Cancelled: it did not, or was done just then.
    """
    link.cancel(call)
    for _ in range(round(STOP_LOADING_SECONDS / POLL_SECONDS)):
        if call.box.ended:
            break
        call.box.take(POLL_SECONDS)
    raise Cancelled(say("Loading the model was cancelled.", "已取消加载模型。"))
