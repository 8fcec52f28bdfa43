"""The parent's end of an engine's process: many calls at once over one socket, and what happens when it breaks."""

import logging
import os
import signal
import threading
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from inkseal.core.errors import EngineFailed, InksealError, Unsupported
from inkseal.core.events import Event
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import Usage
from inkseal.runtime.engine_host import EXIT_BROKEN, EXIT_GARBLED, EXIT_MEMORY
from inkseal.runtime.engine_wire import FrameReader, FrameWriter, Garbled, Message, chunk_of, error_of
from inkseal.runtime.outbox import Outbox
from inkseal.runtime.spawn import Spawned, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE_SECONDS = 60.0
"""A process that has not even sent its heartbeat for so long hangs. Libraries that compile a graph keep Python from
running meanwhile, for seconds."""
CANCEL_BEATS = 30
"""So many heartbeats may a cancelled call go on before the process counts as hung: a step of a large prompt takes its
time. In heartbeats, because clocks also run while a machine or both processes are suspended."""

log = logging.getLogger(__name__)
_event: TypeAdapter[Event] = TypeAdapter(Event)


@dataclass(eq=False)
class Call:
    """One call at work: chunks and the end come through `box`, what it returns is in `result`."""

    number: int
    language: Language = field(default_factory=current_language)
    box: Outbox = field(default_factory=Outbox)
    events: "SimpleQueue[Event]" = field(default_factory=SimpleQueue)
    result: Any = None
    beats_left: int | None = None


class EngineLink:
    """One process and the calls it works on.

    Args:
        module: what the process runs.
        silence_seconds: how long it may be silent.
        cancel_beats: how many heartbeats a call may go on after it was cancelled.
    """

    def __init__(self, module: str, silence_seconds: float = SILENCE_SECONDS, cancel_beats: int = CANCEL_BEATS) -> None:
        if os.name != "posix":
            raise Unsupported(say("Engines cannot be isolated here.", "此系统无法隔离引擎。"))
        try:
            self._process = Spawned(module)
        except OSError as error:
            raise EngineFailed(
                say(
                    f"The system cannot start a process for the engine: {error.strerror}.",
                    f"系统无法为引擎启动进程：{error.strerror}。",
                )
            ) from None
        self.pid = self._process.pid
        self._cancel_beats = cancel_beats
        self._silence_seconds = silence_seconds
        self._writer = FrameWriter(self._process.sock)
        self._changing = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._next_number = 0
        self._closed = False
        self._broken = False
        self._reader = threading.Thread(target=self._read, name="inkseal-engine", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """False once the process has ended, for whatever reason."""
        return not self._broken and not self._closed and self._process.running

    def call(self, name: str, *arguments: Any) -> Call:
        """Asks for something; the answer comes into the call.

        Raises:
            EngineFailed: the process has ended.
            InvalidRequest: there is more in it than can be sent.
        """
        with self._changing:
            if self._closed or self._broken:
                raise _closed() if self._closed else _ended("")
            call = Call(self._next_number)
            self._next_number += 1
            self._calls[call.number] = call
        try:
            self._writer.post([name, call.number, call.language, *arguments])
        except OSError:
            self._process.kill()  # the reader tells all calls
        except BaseException:
            self._forget(call)
            raise
        return call

    def cancel(self, call: Call) -> None:
        """Asks the process to end a call soon; kills it should it not. Harmless when the call is over."""
        with self._changing:
            if call.number not in self._calls or call.beats_left is not None:
                return
            call.beats_left = self._cancel_beats
        try:
            self._writer.post(["cancel", call.number])
        except OSError:
            self._process.kill()

    def close(self) -> None:
        """Ends the process and waits until its memory is free; calls at work end with EngineFailed."""
        self._closed = True
        self._process.kill()
        if self._reader is not threading.current_thread():
            self._reader.join()

    def _read(self) -> None:
        reader = FrameReader(self._process.sock, self._silence_seconds)
        why = ""
        try:
            while (frame := reader.read()) is not None:
                messages, blob = frame
                start = 0
                for message in messages:
                    size = message[-1] if message[0] in ("chunk", "rows") else 0
                    self._take(message, blob[start : start + size])
                    start += size
        except TimeoutError:
            why = say("it hangs", "引擎无响应")
        except (Garbled, ValidationError, ValueError, TypeError, IndexError) as error:
            why = say("it sent something unreadable", "引擎发来无法识别的内容")
            log.warning("unreadable answer of an engine: %s", printable(str(error))[:200])
        except OSError:
            pass
        finally:
            self._end(why)

    def _take(self, message: Message, data: memoryview) -> None:
        """Hands one message to its call; answers to calls that nobody waits for any more go nowhere."""
        name, call = message[0], self._calls.get(message[1])
        if name == "beat":
            self._count_beat()
        elif name == "log":
            _, _, level, logger, text = message
            known = logger if str(logger).startswith("inkseal") else __name__
            logging.getLogger(known).log(int(level), "engine %d: %s", self.pid, printable(str(text)))
        if call is None:
            return
        if name == "chunk":
            call.box.put(chunk_of(message, data))
        elif name == "event":
            call.events.put(_event.validate_python(message[2]))
        elif name in _RESULTS:
            call.result = _RESULTS[name](message, data)
            self._forget(call)
            call.box.end()
        elif name == "error":
            error = error_of(message)
            self._forget(call)
            call.box.fail(error)

    def _count_beat(self) -> None:
        with self._changing:
            cancelled = [call for call in self._calls.values() if call.beats_left is not None]
        for call in cancelled:
            assert call.beats_left is not None
            call.beats_left -= 1
            if call.beats_left < 0:
                raise TimeoutError

    def _forget(self, call: Call) -> None:
        with self._changing:
            self._calls.pop(call.number, None)

    def _end(self, why: str) -> None:
        """Tells every call that the process is gone, after making sure that it is."""
        self._broken = True  # before a wait that may be long: who asks whether it lives must not wait too
        status = self._process.kill()
        with self._changing:
            calls, self._calls = list(self._calls.values()), {}
        if not self._closed:
            log.error("engine %d ended (%s); %d calls lost; it said last: %s", self.pid, why or _status(status),
                      len(calls), " | ".join(self._process.tail) or "-")  # fmt: skip
        for call in calls:
            with use_language(call.language):
                call.box.fail(_closed() if self._closed else _ended(why or _status(status)))
        self._process.close()


def _rows(message: Message, data: memoryview) -> "NDArray[Any]":
    import numpy as np

    _, _, shape, _ = message
    return np.frombuffer(bytearray(data), dtype="<f4").reshape(shape)


_RESULTS = {
    "ready": lambda message, data: str(message[2]),
    "end": lambda message, data: Usage.model_validate(message[2]),
    "counted": lambda message, data: int(message[2]),
    "rows": _rows,
}


def _status(status: int) -> str:
    if status == EXIT_MEMORY:
        return say("out of memory", "内存不足")
    if status in (EXIT_BROKEN, EXIT_GARBLED):
        return say("it broke", "引擎损坏")
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = str(-status)
        return say(f"killed by {name}", f"被信号 {name} 终止")
    return say(f"exit status {status}", f"退出状态 {status}")


def _ended(why: str) -> InksealError:
    reason = f" ({why})" if why else ""
    return EngineFailed(
        say(f"The engine's process ended{reason}.", f"引擎进程已终止{reason}。"),
        fix=say("Repeat the request: the engine is started again.", "请重试：引擎会重新启动。"),
    )


def _closed() -> InksealError:
    return EngineFailed(
        say("The engine was closed.", "引擎已关闭。"), fix=say("Load the model again.", "请重新加载模型。")
    )
