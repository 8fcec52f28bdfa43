"""Runs that go on when whoever began them leaves: a page that is loaded again finds them by their events."""

import asyncio
import logging
import threading
from collections.abc import Callable

from inkseal.core.errors import InksealError
from inkseal.core.events import Event, Failed, Started
from inkseal.core.language import say
from inkseal.core.types import Request
from inkseal.serve.callers import Caller
from inkseal.serve.errors import Refused
from inkseal.serve.feeds import Feeds
from inkseal.serve.held import Held
from inkseal.serve.queue import JobQueue
from inkseal.studio.studio import Studio

log = logging.getLogger(__name__)


class Begun:
    """The runs that were begun so and are not over. Used from one event loop."""

    def __init__(self, studio: Studio, queue: JobQueue, feeds: Feeds) -> None:
        self._studio = studio
        self._held = Held(queue)
        self._feeds = feeds
        self._stops: dict[str, threading.Event] = {}

    async def begin(self, request: Request, caller: Caller) -> str:
        """Returns the run's id once it has a place in the queue and has started.

        Raises:
            Busy: the queue is full, or a quota is used up.
            InksealError: it could not be started.
        """
        stop = threading.Event()
        begun: list[str] = []

        def work(began: Callable[[], None]) -> None:
            def told(event: Event) -> None:
                if isinstance(event, Started):
                    begun.append(event.run_id)
                    self._stops[event.run_id] = stop
                    began()

            self._studio.run(request, told, stop, owner=caller.owner)

        def ended(error: BaseException | None) -> None:
            for run_id in begun:
                self._end(run_id, caller, error)

        await asyncio.shield(self._held.begin(caller, work, stop, ended))
        return begun[0]

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

    def _end(self, run_id: str, caller: Caller, error: BaseException | None) -> None:
        self._stops.pop(run_id, None)
        if error is None or isinstance(error, asyncio.CancelledError):
            return  # the server is closing
        if not isinstance(error, InksealError):
            log.error("run %s failed", run_id, exc_info=error)
        if self._feeds.is_over(run_id):
            return  # its last event told it
        words = say("The server could not do this.", "服务器未能完成此请求。")
        self._feeds.take(caller.owner, run_id, Failed(run_id=run_id, code="internal_error", message=words))
