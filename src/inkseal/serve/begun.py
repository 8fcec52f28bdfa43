"""Runs that go on when whoever began them leaves: a page that is loaded again finds them by their events."""

import asyncio
import logging
import threading
from collections.abc import Callable

from inkseal.core.errors import InksealError
from inkseal.core.events import Event, Failed, Started
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.types import Request
from inkseal.serve.callers import Caller
from inkseal.serve.errors import Refused
from inkseal.serve.feeds import Feeds
from inkseal.serve.queue import JobQueue
from inkseal.studio.studio import Studio

log = logging.getLogger(__name__)


class Begun:
    """The runs that were begun so and are not over. Used from one event loop."""

    def __init__(self, studio: Studio, queue: JobQueue, feeds: Feeds) -> None:
        self._studio = studio
        self._queue = queue
        self._feeds = feeds
        self._stops: dict[str, threading.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, request: Request, caller: Caller) -> str:
        """Returns the run's id once it has a place in the queue and has started.

        Raises:
            Busy: the queue is full, or a quota is used up.
            InksealError: it could not be started.
        """
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._hold(request, caller, started))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(started)

    def stop(self, run_id: str, caller: Caller) -> None:
        """Ends a run; what was shown by then is kept. A run that is over stays as it is.

        Raises:
            UnknownName: for this caller there is no such run, or it ended long ago.
            Refused: somebody is connected to it, and ends it by leaving.
        """
        feed = self._feeds.of(run_id, caller)
        stop = self._stops.get(run_id)
        if stop is not None:
            stop.set()
        elif not feed.over:
            raise Refused(
                409,
                "run_has_a_reader",
                say(
                    "This run ends when the client that began it disconnects.",
                    "此运行在发起它的客户端断开时结束。",
                ),
            )

    async def _hold(self, request: Request, caller: Caller, started: asyncio.Future[str]) -> None:
        try:
            async with self._queue.slot(caller):
                run = _Thread(self._studio, request, caller, started, self._stops)
                try:
                    await run.over.wait()
                finally:
                    run.stop.set()
                    self._end(run, caller)
        except InksealError as error:
            if not started.done():
                started.set_exception(error)

    def _end(self, run: "_Thread", caller: Caller) -> None:
        self._stops.pop(run.run_id, None)
        if run.run_id and run.error is not None and not isinstance(run.error, InksealError):
            log.error("run %s failed", run.run_id, exc_info=run.error)
            words = say("The server could not do this.", "服务器未能完成此请求。")
            self._feeds.take(caller.owner, run.run_id, Failed(run_id=run.run_id, code="internal_error", message=words))
        if not run.started.done():
            run.started.set_exception(run.error or asyncio.CancelledError())


class _Thread:
    """One run in a thread of its own."""

    def __init__(
        self,
        studio: Studio,
        request: Request,
        caller: Caller,
        started: asyncio.Future[str],
        stops: dict[str, threading.Event],
    ) -> None:
        self.run_id = ""
        self.error: BaseException | None = None
        self.stop = threading.Event()
        self.over = asyncio.Event()
        self.started = started
        self._studio = studio
        self._stops = stops
        self._loop = asyncio.get_running_loop()
        arguments = (request, caller.owner, current_language())
        threading.Thread(target=self._work, args=arguments, name="inkseal-run", daemon=True).start()

    def _work(self, request: Request, owner: str, language: Language) -> None:
        try:
            with use_language(language):
                self._studio.run(request, self._told, self.stop, owner=owner)
        except BaseException as error:  # noqa: BLE001 - its last event told it, or `Begun` tells it
            self.error = error
        self._soon(self.over.set)

    def _told(self, event: Event) -> None:
        if isinstance(event, Started):
            self.run_id = event.run_id
            self._stops[event.run_id] = self.stop
            self._soon(self._begin)

    def _begin(self) -> None:
        if not self.started.done():
            self.started.set_result(self.run_id)

    def _soon(self, action: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop is closed: the server has stopped
            self.stop.set()
