"""Long work of the installation itself (fetching a model, loading it, a backup): lives on when the page is closed.

Tasks are kept in memory: a restart forgets them. What they fetch stays on the disk, so that a new one goes on.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from inkseal.core.errors import Cancelled, InksealError, UnknownName
from inkseal.core.events import Event, Failed, Finished, Listener, Noted, Progress, Started
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, Usage, new_id, now
from inkseal.serve.errors import Refused, without
from inkseal.serve.feeds import Feed

log = logging.getLogger(__name__)

Kind = Literal["pull", "load", "measure", "backup"]
State = Literal["running", "finished", "failed", "cancelled"]
Work = Callable[[Listener, Cancel], dict[str, Any]]

MAX_RUNNING = 4
MAX_KEPT = 64
MAX_NOTES = 50
TOLD_SECONDS = 0.2
"""A download tells of every piece; nobody can look that often."""
CLOSE_SECONDS = 5.0


class TaskFacts(Closed):
    """How a task stands. `code` and `message` say why it failed, `result` what it found."""

    id: str
    kind: Kind
    subject: str
    state: State
    started_at: datetime
    ended_at: datetime | None = None
    what: str = ""
    done: float = 0
    total: float | None = None
    unit: str = ""
    notes: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    result: dict[str, Any] = {}


class Task:
    """One task: its facts, its events for any number of readers, and the signal that stops it."""

    def __init__(self, kind: Kind, subject: str) -> None:
        self.cancel = threading.Event()
        self.feed = Feed(owner="")
        self.facts = TaskFacts(id=new_id(), kind=kind, subject=subject, state="running", started_at=now())
        self.thread: threading.Thread | None = None
        self._told = ("", 0.0)

    def hear(self, event: Event) -> None:
        """Takes an event of the work; of progress, no more than somebody can look at."""
        if isinstance(event, Progress):
            facts = {"what": event.what, "done": event.done, "total": event.total, "unit": event.unit}
            self.facts = self.facts.model_copy(update=facts)
            what, at = self._told
            if event.what == what and event.done != event.total and time.monotonic() - at < TOLD_SECONDS:
                return
            self._told = (event.what, time.monotonic())
        elif isinstance(event, Noted):
            notes = (*self.facts.notes, event.text)[-MAX_NOTES:]
            self.facts = self.facts.model_copy(update={"notes": notes})
        self.feed.put(event)

    def end(self, state: State, **facts: Any) -> None:
        """Says how it ended, and tells the readers."""
        self.facts = self.facts.model_copy(update={"state": state, "ended_at": now(), **facts})
        if state == "finished":
            self.feed.put(Finished(run_id=self.facts.id, usage=Usage()))
        else:
            self.feed.put(Failed(run_id=self.facts.id, code=self.facts.code, message=self.facts.message))


class Tasks:
    """The tasks of one application.

    Args:
        hidden: texts, such as the data folder's path, that no message may carry.
    """

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        self._hidden = hidden
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._guard = threading.Lock()
        self._closed = False

    def start(self, kind: Kind, subject: str, work: Work) -> TaskFacts:
        """Begins the work in a thread of its own; the same work that runs already is joined instead.

        Args:
            kind: what is done.
            subject: to what, such as a model's name; to one subject only one thing is done at a time.
            work: does it; returns what the task's `result` shall be.

        Raises:
            Refused: something else is being done to the subject, or too much is being done.
        """
        with self._guard:
            running = [task for task in self._tasks.values() if task.facts.state == "running"]
            same = next((task for task in running if task.facts.subject == subject), None)
            if same is not None and same.facts.kind == kind:
                return same.facts
            if same is not None:
                raise Refused(409, "task_running", say(f"{subject} is being worked on.", f"{subject} 正在处理中。"))
            if len(running) >= MAX_RUNNING or self._closed:
                raise Refused(409, "too_many_tasks", say("Too much is being done at once.", "同时进行的任务过多。"))
            task = Task(kind, subject)
            self._tasks[task.facts.id] = task
            self._forget()
        task.hear(Started(run_id=task.facts.id, what=kind))
        arguments = (task, work, current_language())
        thread = threading.Thread(target=self._do, args=arguments, name=f"inkseal-{kind}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            self._break(task)
            raise
        task.thread = thread
        return task.facts

    def of(self, task_id: str) -> Task:
        """Returns a task.

        Raises:
            UnknownName: there is none, or it was forgotten.
        """
        task = self._tasks.get(task_id)
        if task is None:
            raise UnknownName("task", task_id, ())
        return task

    def listed(self) -> list[TaskFacts]:
        """Returns all tasks that are kept, newest first."""
        with self._guard:
            return [task.facts for task in reversed(self._tasks.values())]

    def running(self, subject: str) -> TaskFacts | None:
        """Returns what is being done to a subject."""
        return next((task for task in self.listed() if task.subject == subject and task.state == "running"), None)

    def close(self) -> None:
        """Asks every task to stop, and gives them a moment; what they fetched stays for the next time."""
        with self._guard:
            self._closed = True
            tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel.set()
        end = time.monotonic() + CLOSE_SECONDS
        for task in tasks:
            if task.thread is not None:
                task.thread.join(max(0.0, end - time.monotonic()))

    def _do(self, task: Task, work: Work, language: Language) -> None:
        with use_language(language):
            try:
                result = work(task.hear, task.cancel)
            except Cancelled as error:
                task.end("cancelled", code=error.code, message=without(str(error), self._hidden))
            except InksealError as error:
                task.end("failed", code=error.code, message=without(str(error), self._hidden))
            except BaseException as error:
                log.error("task %s of %s failed", task.facts.kind, task.facts.subject, exc_info=error)
                self._break(task)
            else:
                task.end("finished", result=result)

    def _break(self, task: Task) -> None:
        message = say("The server could not do this; its log says why.", "服务器未能完成；原因见其日志。")
        task.end("failed", code="internal_error", message=message)

    def _forget(self) -> None:
        ended = [task_id for task_id, task in self._tasks.items() if task.facts.state != "running"]
        for task_id in ended[: max(0, len(self._tasks) - MAX_KEPT)]:
            del self._tasks[task_id]
