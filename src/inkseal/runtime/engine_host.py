"""Inside an engine's process: answers the calls that come over the socket, each in a thread of its own.

Knows nothing of models and requests: the module that is run hands in what loads and what reads a request.
"""

import contextlib
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from inkseal.core.errors import EngineFailed, InksealError
from inkseal.core.events import Event, Listener
from inkseal.core.language import say, use_language
from inkseal.core.protocols import Cancel, EmbeddingEngine, Engine, GenerativeEngine
from inkseal.core.types import Request
from inkseal.runtime.engine_wire import FrameReader, FrameWriter, Garbled, Message, error_message

BEAT_SECONDS = 1.0
START_BEATS = 3
"""So many heartbeats may a thread take to start."""
FAILURES_IN_A_ROW = 3
"""So many EngineFailed with no success between them: the engine is broken, and a new process may not be."""

EXIT_BROKEN, EXIT_MEMORY, EXIT_GARBLED = 70, 71, 72
LOAD = 0
"""The number of the first call."""

Loader = Callable[[Mapping[str, Any], Listener, Cancel], Engine]
RequestReader = Callable[[str, Mapping[str, Any]], Request]

log = logging.getLogger(__name__)


def serve(sock: socket.socket, load: Loader, read_request: RequestReader) -> None:
    """Loads what the first message says and answers calls until the parent hangs up; then ends the process."""
    Host(sock, load, read_request).run()


class Host:
    """The calls at work in this process."""

    def __init__(self, sock: socket.socket, load: Loader, read_request: RequestReader) -> None:
        self._reader = FrameReader(sock)
        self._writer = FrameWriter(sock, lambda: len(self._cancels) > 1)
        self._load = load
        self._read_request = read_request
        self._engine: Engine | None = None
        self._cancels: dict[int, threading.Event] = {}
        self._failures = 0
        self._starting: threading.Thread | None = None

    def run(self) -> None:
        """Reads messages until there are no more; never returns."""
        threading.excepthook = self._thread_broke
        _log_to(self._writer)
        threading.Thread(target=self._beat, name="inkseal-beat", daemon=True).start()
        try:
            while (frame := self._reader.read()) is not None:
                for message in frame[0]:
                    self._take(message)
        except (Garbled, ValueError, KeyError, TypeError, IndexError):
            os._exit(EXIT_GARBLED)
        except (MemoryError, RuntimeError):  # the second: no thread can be started for a call
            os._exit(EXIT_MEMORY)
        except OSError:
            pass
        # At once: whoever would have read what is still being made is gone.
        os._exit(0)

    def _take(self, message: Message) -> None:
        name, call = message[0], int(message[1])
        if name == "cancel":
            if cancel := self._cancels.get(call):
                cancel.set()
            return
        work = {"load": self._loads, "generate": self._generates, "count": self._counts, "embed": self._embeds}[name]
        self._cancels[call] = threading.Event()
        language, arguments = message[2], message[3:]
        thread = threading.Thread(target=self._answer, args=(work, call, language, arguments), daemon=True)
        self._starting = thread
        thread.start()
        self._starting = None

    def _answer(self, work: Callable[..., None], call: int, language: Any, arguments: list[Any]) -> None:
        try:
            with use_language(language):
                self._attempt(work, call, arguments)
        except OSError:  # the parent is gone, and with it whoever asked
            os._exit(0)
        finally:
            del self._cancels[call]

    def _attempt(self, work: Callable[..., None], call: int, arguments: list[Any]) -> None:
        try:
            work(call, *arguments)
            self._failures = 0
        except InksealError as error:
            self._writer.post(error_message(call, error))
            if isinstance(error, EngineFailed):
                self._failures += 1
                if self._failures >= FAILURES_IN_A_ROW:
                    os._exit(EXIT_BROKEN)
        except MemoryError:
            os._exit(EXIT_MEMORY)
        except Exception as error:  # noqa: BLE001 - the boundary of the process: the parent must hear of it
            # Without its words: they may hold what the user has sent.
            log.error("a call failed: %s: %s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            self._writer.post(error_message(call, _unforeseen(error)))

    def _loads(self, call: int, values: Mapping[str, Any]) -> None:
        def on_event(event: Event) -> None:
            self._writer.post(["event", call, event.model_dump(mode="json")])

        engine = self._load(values, on_event, self._cancels[call])
        self._engine = engine
        self._writer.post(["ready", call, "generate" if isinstance(engine, GenerativeEngine) else "embed"])

    def _generates(self, call: int, modality: str, values: Mapping[str, Any]) -> None:
        engine, cancel = self._engine, self._cancels[call]
        assert isinstance(engine, GenerativeEngine)
        stream = engine.generate(self._read_request(modality, values), cancel)
        try:
            while True:
                self._writer.post_chunk(call, next(stream))
        except StopIteration as end:
            self._writer.post(["end", call, end.value.model_dump(mode="json")])
        finally:
            stream.close()

    def _counts(self, call: int, *asked: Any) -> None:
        if isinstance(self._engine, GenerativeEngine):
            num_tokens = self._engine.count_tokens(self._read_request(*asked))
        else:
            assert isinstance(self._engine, EmbeddingEngine)
            num_tokens = self._engine.count_tokens(*asked)
        self._writer.post(["counted", call, num_tokens])

    def _embeds(self, call: int, texts: list[str]) -> None:
        import numpy as np

        assert isinstance(self._engine, EmbeddingEngine)
        rows = np.ascontiguousarray(self._engine.embed(texts), dtype="<f4")
        data = rows.tobytes()
        self._writer.post(["rows", call, list(rows.shape), len(data)], data)

    def _beat(self) -> None:
        beats, watched = 0, None
        while True:
            time.sleep(BEAT_SECONDS)
            # A thread that has no memory to begin with is waited for, by whoever starts it, for ever.
            beats, watched = (beats + 1 if self._starting is watched else 0), self._starting
            if watched is not None and beats >= START_BEATS:
                os._exit(EXIT_MEMORY)
            try:
                self._writer.post(["beat", LOAD])
            except OSError:
                os._exit(0)

    def _thread_broke(self, broken: threading.ExceptHookArgs) -> None:
        """Ends the process: an engine whose thread has died answers nobody any more."""
        with contextlib.suppress(OSError, InksealError):
            if broken.exc_value is not None:
                log.error("a thread ended: %s", _trace(broken.exc_value, broken.exc_traceback))
        os._exit(EXIT_MEMORY if isinstance(broken.exc_value, MemoryError) else EXIT_BROKEN)


def _unforeseen(error: Exception) -> EngineFailed:
    name = type(error).__name__
    return EngineFailed(
        say(f"The engine failed ({name}).", f"引擎出错（{name}）。"),
        fix=say("The log has the details.", "详情见日志。"),
    )


def _trace(error: BaseException, trace: TracebackType | None) -> str:
    return "".join(traceback.format_exception(type(error), error, trace))


class _Forward(logging.Handler):
    """Hands log records to the parent, whose settings decide what becomes of them."""

    def __init__(self, writer: FrameWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, InksealError):
            self._writer.post(["log", LOAD, record.levelno, record.name, self.format(record)[:10_000]])


def _log_to(writer: FrameWriter) -> None:
    logging.basicConfig(handlers=[_Forward(writer)], level=logging.INFO, format="%(message)s", force=True)


def settle(parent: int) -> None:
    """Prepares this process: only its parent ends it, and it does not outlive its parent.

    Signals that a terminal or a service manager sends to everybody are the parent's to judge: it may want to let
    running requests finish.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if found := getattr(signal, name, None):
            signal.signal(found, signal.SIG_IGN)
    faulthandler.enable()
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # When memory is short, the kernel should take an engine, which can be started again, not the server.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    if os.getppid() != parent:
        os._exit(0)
