"""Work that goes on when whoever asked for it leaves: a place in the queue, a thread, and a signal that stops it."""

import asyncio
import threading
from collections.abc import Callable

from inkseal.core.errors import Cancelled, InksealError
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.serve.callers import Caller
from inkseal.serve.queue import JobQueue

Work = Callable[[Callable[[], None]], None]
"""Is given what to call once it has begun."""
Ended = Callable[[BaseException | None], None]


class Held:
    """The work that is held so and is not over. Used from one event loop."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: dict[threading.Event, asyncio.Task[None]] = {}

    def begin(self, caller: Caller, work: Work, stop: threading.Event, ended: Ended) -> "asyncio.Future[None]":
        """Puts the work into the queue; returns what is done once it has begun, or holds why it did not.

        Args:
            caller: whose place in the queue it takes.
            work: done in a thread of its own, in the language of the request.
            stop: what the work asks whether to stop; set when the server closes.
            ended: told in the event loop how the work ended; of a full queue too.
        """
        began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._hold(caller, work, stop, ended, began))
        self._tasks.add(task)
        self._queued[stop] = task
        task.add_done_callback(self._tasks.discard)
        return began

    def stop(self, stop: threading.Event) -> None:
        """Asks the work to end; what still waits for its place gives it up."""
        stop.set()
        task = self._queued.get(stop)
        if task is not None:
            task.cancel()

    async def _hold(
        self, caller: Caller, work: Work, stop: threading.Event, ended: Ended, began: "asyncio.Future[None]"
    ) -> None:
        error: BaseException | None = asyncio.CancelledError()
        try:
            async with self._queue.slot(caller):
                self._queued.pop(stop, None)
                thread = _Thread(work, stop, began)
                await thread.over.wait()
                error = thread.error
        except InksealError as refused:
            error = refused
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
            error = Cancelled(say("It was stopped before it began.", "在开始前已被停止。"))
        finally:
            stop.set()
            self._queued.pop(stop, None)
            ended(error)
            if not began.done():
                began.set_exception(error or asyncio.CancelledError())


class _Thread:
    """The work in a thread of its own."""

    def __init__(self, work: Work, stop: threading.Event, began: "asyncio.Future[None]") -> None:
        self.error: BaseException | None = None
        self.over = asyncio.Event()
        self._stop = stop
        self._began = began
        self._loop = asyncio.get_running_loop()
        arguments = (work, current_language())
        threading.Thread(target=self._work, args=arguments, name="inkseal-run", daemon=True).start()

    def _work(self, work: Work, language: Language) -> None:
        try:
            with use_language(language):
                work(lambda: self._soon(self._begin))
        except BaseException as error:  # noqa: BLE001 - handed to `ended`
            self.error = error
        self._soon(self.over.set)

    def _begin(self) -> None:
        if not self._began.done():
            self._began.set_result(None)

    def _soon(self, action: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop is closed: the server has stopped
            self._stop.set()
