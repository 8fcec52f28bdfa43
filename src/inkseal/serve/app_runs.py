"""Runs of apps that go on when their page is closed, and can be watched from their beginning for a while.

They are kept in memory: a restart of the server ends them. What their steps made by then is in the gallery.
"""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from inkseal.apps.definition import AppFile
from inkseal.apps.events import AppEvent, AppFailed, AppFinished
from inkseal.apps.runner import run_app
from inkseal.apps.work import Options
from inkseal.core.errors import InksealError, UnknownName
from inkseal.core.language import Language, say
from inkseal.core.types import Closed, new_id, now
from inkseal.serve.app_feed import AppFeed
from inkseal.serve.callers import Caller
from inkseal.serve.feeds import told
from inkseal.serve.held import Held
from inkseal.serve.queue import JobQueue
from inkseal.studio.studio import Studio

log = logging.getLogger(__name__)

MAX_KEPT = 20
"""Of one owner, besides those that are not over."""
WAIT_SECONDS = 1.0
"""So long a form that is off still has an error of its own, when there is a queue."""

State = Literal["waiting", "running", "finished", "failed", "cancelled"]


class AppRunFacts(Closed):
    """How a run of an app stands. `code` and `message` say why it failed; `artifact` is its sealed result."""

    id: str
    app: str
    title: str
    language: Language
    model: str
    state: State = "waiting"
    begun_at: datetime
    ended_at: datetime | None = None
    artifact: str | None = None
    code: str = ""
    message: str = ""


class AppRun:
    """One run: its facts, its events for any number of readers, and the signal that stops it."""

    def __init__(self, file: AppFile, language: Language, options: Options, hidden: tuple[str, ...]) -> None:
        self.stop = threading.Event()
        self.feed = AppFeed(options.owner)
        self._app = file.app
        self._facts = AppRunFacts(
            id=new_id(),
            app=file.app.name,
            title="",
            language=language,
            model=options.model,
            begun_at=now(),
        )
        self._hidden = hidden

    @property
    def facts(self) -> AppRunFacts:
        """How it stands, in the words of whoever asks."""
        return self._facts.model_copy(update={"title": str(self._app.title)})

    def hear(self, event: AppEvent) -> None:
        """Takes an event of the run."""
        event = told(event, self._hidden)
        if isinstance(event, AppFinished):
            self._end("finished", artifact=event.result.artifact.id)
        elif isinstance(event, AppFailed):
            self._end("cancelled" if event.code == "cancelled" else "failed", code=event.code, message=event.message)
        elif self._facts.state == "waiting":
            self._facts = self._facts.model_copy(update={"state": "running"})
        self.feed.put(event)

    def end(self, error: BaseException | None) -> None:
        """Tells how the run ended, where its own last event did not."""
        if self.feed.over:
            return
        if isinstance(error, InksealError):
            self.hear(AppFailed(code=error.code, message=str(error)))
            return
        if not isinstance(error, asyncio.CancelledError):
            log.error("app %s failed", self._app.name, exc_info=error)
        words = say("The server could not do this.", "服务器未能完成此请求。")
        self.hear(AppFailed(code="internal_error", message=words))

    def _end(self, state: State, **facts: Any) -> None:
        self._facts = self._facts.model_copy(update={"state": state, "ended_at": now(), **facts})


class AppRuns:
    """The runs of apps that are not over, and those that ended lately. Used from one event loop."""

    def __init__(self, studio: Studio, queue: JobQueue, hidden: tuple[str, ...] = ()) -> None:
        self._studio = studio
        self._held = Held(queue)
        self._hidden = hidden
        self._runs: OrderedDict[str, AppRun] = OrderedDict()

    async def begin(
        self, file: AppFile, values: Mapping[str, Any], language: Language, options: Options, caller: Caller
    ) -> AppRunFacts:
        """Begins a run, or puts it into the queue.

        Raises:
            Busy: the queue is full, or a quota is used up.
            InksealError: it could not be started.
        """
        run = AppRun(file, language, options, self._hidden)

        def work(began: Callable[[], None]) -> None:
            def hear(event: AppEvent) -> None:
                run.hear(event)
                began()

            run_app(self._studio, file, values, hear, run.stop, language=language, options=options)

        began = self._held.begin(caller, work, run.stop, run.end)
        self._runs[run.facts.id] = run
        self._forget_old(options.owner)
        done, _ = await asyncio.wait({began}, timeout=WAIT_SECONDS)
        if not done:
            began.add_done_callback(lambda future: future.cancelled() or future.exception())  # its events tell
        elif began.exception() is not None:
            self._runs.pop(run.facts.id, None)
            began.result()
        return run.facts

    def of(self, run_id: str, caller: Caller) -> AppRun:
        """Returns a run.

        Raises:
            UnknownName: there is none for this caller, or it ended long ago.
        """
        run = self._runs.get(run_id)
        if run is None or not caller.may_see(run.feed.owner):
            raise UnknownName("run", run_id, ())
        return run

    def listed(self, caller: Caller, app: str = "") -> tuple[AppRunFacts, ...]:
        """Returns the caller's own runs, newest first; with an app, those of it."""
        own = [run.facts for run in list(self._runs.values()) if run.feed.owner == caller.owner]
        return tuple(facts for facts in reversed(own) if app in ("", facts.app))

    def stop(self, run_id: str, caller: Caller) -> None:
        """Ends a run; what its steps made by then is kept. A run that is over stays as it is.

        Raises:
            UnknownName: there is none for this caller, or it ended long ago.
        """
        self._held.stop(self.of(run_id, caller).stop)

    def forget(self, artifact_id: str) -> None:
        """Drops the run that made an artifact: its words are in the events."""
        for run_id in [
            run_id for run_id, run in list(self._runs.items()) if run.feed.over and run.feed.made(artifact_id)
        ]:
            self._runs.pop(run_id, None)

    def _forget_old(self, owner: str) -> None:
        ended = [run_id for run_id, run in list(self._runs.items()) if run.feed.owner == owner and run.feed.over]
        for run_id in ended[: max(0, len(ended) - MAX_KEPT)]:
            self._runs.pop(run_id, None)
