"""From the synchronous studio to the asynchronous server: a run has a thread, its reader sits in the event loop.

A reader that leaves, or takes nothing for a minute, ends the run; what waits for a slow one is bounded.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

import anyio
from starlette.requests import Request as HttpRequest

from inkseal.core.errors import Cancelled
from inkseal.core.events import Event, Generated, Listener, Withdrawn
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import Request
from inkseal.serve.callers import Caller, Role
from inkseal.serve.queue import JobQueue
from inkseal.studio.studio import Studio

T = TypeVar("T")
BUFFER_EVENTS = 1024
STALL_SECONDS = 60.0
"""A reader that takes nothing for so long is gone."""
PACE_SECONDS = 0.004
"""Between two batches: each costs a wake-up and a write, many times what a token in a batch costs."""
IDLE_SECONDS = 10.0
"""After so long without an event, `batches` yields an empty batch: a sign of life can be sent."""


Work = Callable[[Callable[[Any], None], "_Buffer"], object]
"""Puts its events where it is told to; the buffer is its cancel signal."""


class ClientLeft(Cancelled):
    """Nobody is there any more to answer to."""


async def run(
    studio: Studio, request: Request | Callable[[], Request], caller: Caller, http: HttpRequest | None = None
) -> AsyncIterator[Event]:
    """Yields the events of a run; see `batches`."""
    events = batches(studio, request, caller, http)
    try:
        async for batch in events:
            for event in batch:
                yield event
    finally:
        await events.aclose()


async def batches(
    studio: Studio, request: Request | Callable[[], Request], caller: Caller, http: HttpRequest | None = None
) -> AsyncGenerator[list[Event], None]:
    """Yields the events of a run, as many at a time as have come; an empty list when nothing has for a while.

    Closing the generator ends the run, and returns when the engine has stopped.

    Args:
        request: what is asked, or what makes it; that is called in the run's thread.
        http: whose client is watched; when it disconnects, the run ends.

    Raises:
        ClientLeft: the client disconnected.
        InksealError: as `Studio.run`.
    """

    def work(emit: Listener, buffer: "_Buffer") -> None:
        made = request if isinstance(request, Request) else request()
        studio.run(made, _listener(buffer, made.n), buffer, owner=caller.owner)

    async with aclosing(batches_of(work, caller, http)) as found:
        async for batch in found:
            yield batch


async def batches_of(work: "Work", caller: Caller, http: HttpRequest | None = None) -> AsyncGenerator[list[Any], None]:
    """Yields what `work` emits while it runs in a thread; see `batches`.

    Args:
        work: called with where to put its events, and with what it must often ask whether to stop.
        caller: whose place in the queue it takes.
        http: whose client is watched.
    """
    async with AsyncExitStack() as stack:
        buffer = _Buffer(asyncio.get_running_loop())
        if http is not None:
            watcher = asyncio.create_task(_watch(http, buffer))
            stack.callback(watcher.cancel)
            buffer.on_stopped = await _take_place(stack, http.app.state.queue, caller, buffer)
        arguments = (work, buffer, current_language())
        threading.Thread(target=_work, args=arguments, name="inkseal-run", daemon=True).start()
        try:
            while (batch := await buffer.take()) is not None:
                yield batch
        finally:
            buffer.leave()
            with anyio.CancelScope(shield=True):
                await buffer.ended.wait()


async def call(function: Callable[..., T], *args: Any) -> T:
    """Runs a short synchronous function in a thread, in the language of the request."""
    language = current_language()

    def work() -> T:
        with use_language(language):
            return function(*args)

    return await anyio.to_thread.run_sync(work)


async def placed(
    http: HttpRequest, caller: Caller, function: Callable[..., T], *args: Any, role: Role = "creator"
) -> T:
    """Runs a function in a thread, in a place of the queue.

    Raises:
        Busy: the queue is full.
        Refused: the caller has not the role.
    """
    async with http.app.state.queue.slot(caller, role):
        return await call(function, *args)


def _work(work: "Work", buffer: "_Buffer", language: Language) -> None:
    error: BaseException | None = None
    try:
        with use_language(language):
            work(buffer.put, buffer)
    except BaseException as raised:  # noqa: BLE001 - handed to the reader, who raises it
        error = raised
    buffer.end(error)


def _listener(buffer: "_Buffer", num_results: int) -> Listener:
    """Hands events to the buffer, and tells it when the last of the results has ended: the engine's work is done."""
    unfinished = set(range(num_results))

    def listen(event: Event) -> None:
        if isinstance(event, Generated):
            if event.chunk.finish_reason is None:
                return buffer.put(event)
            unfinished.discard(event.chunk.index)
        elif isinstance(event, Withdrawn):
            unfinished.discard(event.index)
        if not unfinished:
            buffer.stopped()
        return buffer.put(event)

    return listen


async def _watch(http: HttpRequest, buffer: "_Buffer") -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
    buffer.leave()


async def _take_place(stack: AsyncExitStack, queue: JobQueue, caller: Caller, buffer: "_Buffer") -> Callable[[], None]:
    """Waits for a place in the queue, and returns what gives it back; a client that leaves gives its turn away."""
    with anyio.CancelScope() as waiting:
        buffer.on_leave = waiting.cancel
        give_back = await stack.enter_async_context(queue.slot(caller))
        buffer.on_leave = None
        return give_back
    raise ClientLeft(say("The client has left.", "客户端已断开。"))


class _Buffer:
    """Events on their way from the run's thread to the event loop; also the run's cancel signal."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ended = asyncio.Event()
        self.on_leave: Callable[[], None] | None = None
        self.on_stopped: Callable[[], None] | None = None
        self._loop = loop
        self._events: deque[Event] = deque()
        self._room = threading.Condition()
        self._left = False
        self._over = False
        self._error: BaseException | None = None
        self._ready = asyncio.Event()
        self._is_waking = False
        self._is_idle = False
        self._taken_at = 0.0

    def is_set(self) -> bool:
        """True once the reader has left."""
        return self._left

    def put(self, event: Event) -> None:
        """Takes an event in the run's thread; waits while the buffer is full."""
        if len(self._events) >= BUFFER_EVENTS:
            self._wait_for_room()
        self._events.append(event)
        self._wake()

    def stopped(self) -> None:
        """Says in the run's thread that the engine works no more, though the run goes on."""
        action, self.on_stopped = self.on_stopped, None
        if action is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for the place
                self._loop.call_soon_threadsafe(action)

    def end(self, error: BaseException | None) -> None:
        """Says in the run's thread that it is over."""
        self._error, self._over = error, True
        self._wake(self.ended.set)

    def leave(self) -> None:
        """Says in the event loop that nobody reads any more."""
        self._left = True
        self._ready.set()
        if self.on_leave is not None:
            self.on_leave()
        with self._room:
            self._room.notify()

    async def take(self) -> list[Event] | None:
        """Returns what has come, [] after a time without anything, None after the end.

        Raises:
            ClientLeft: the reader has left.
            InksealError: the run's error, after its last event.
        """
        rest = self._taken_at + PACE_SECONDS - self._loop.time()
        if rest > 0 and not (self._over or self._left):
            await asyncio.sleep(rest)
        idle: asyncio.TimerHandle | None = None
        try:
            while True:
                self._ready.clear()
                self._is_waking = False
                if self._left:
                    raise ClientLeft(say("The client has left.", "客户端已断开。"))
                over, is_idle, self._is_idle = self._over, self._is_idle, False
                if batch := self._taken():
                    self._is_waking = True  # the next `take` looks for itself
                    self._taken_at = self._loop.time()
                    return batch
                if over and self._error is not None:
                    raise self._error
                if over or is_idle:
                    return None if over else []
                idle = idle or self._loop.call_later(IDLE_SECONDS, self._fall_idle)
                await self._ready.wait()
        finally:
            if idle is not None:
                idle.cancel()

    def _fall_idle(self) -> None:
        self._is_idle = True
        self._ready.set()

    def _taken(self) -> list[Event]:
        batch: list[Event] = []
        while self._events:
            batch.append(self._events.popleft())
        if len(batch) >= BUFFER_EVENTS:
            with self._room:
                self._room.notify()
        return batch

    def _wake(self, *also: Callable[[], None]) -> None:
        if self._is_waking and not also:
            return
        self._is_waking = True
        try:
            for action in (self._ready.set, *also):
                self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop is closed: the server has stopped, and nobody reads
            self._left = True

    def _wait_for_room(self) -> None:
        with self._room:
            found = self._room.wait_for(lambda: self._left or len(self._events) < BUFFER_EVENTS, timeout=STALL_SECONDS)
        if not found:
            self._loop.call_soon_threadsafe(self.leave)
            self._left = True
