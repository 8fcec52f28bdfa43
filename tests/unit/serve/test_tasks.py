"""Long work of the installation: one thing at a time for each subject, an end that is told, no flood of progress."""

import threading

import pytest

from inkseal.core.errors import Cancelled, FetchFailed, UnknownName
from inkseal.core.events import Listener, Noted, Progress
from inkseal.core.language import use_language
from inkseal.core.protocols import Cancel
from inkseal.serve import tasks as module
from inkseal.serve.errors import Refused
from inkseal.serve.tasks import TaskFacts, Tasks


def _wait(tasks: Tasks, facts: TaskFacts) -> TaskFacts:
    task = tasks.of(facts.id)
    assert task.thread is not None
    task.thread.join(10)
    return task.facts


def _until_cancelled(on_event: Listener, cancel: Cancel) -> dict[str, object]:
    assert isinstance(cancel, threading.Event)
    assert cancel.wait(10)
    raise Cancelled("stopped")


def test_one_thing_is_done_to_a_subject_at_a_time() -> None:
    tasks = Tasks()
    first = tasks.start("pull", "a", _until_cancelled)
    assert tasks.start("pull", "a", _until_cancelled).id == first.id
    with pytest.raises(Refused, match="a is being worked on"):
        tasks.start("load", "a", _until_cancelled)
    others = [tasks.start("pull", name, _until_cancelled) for name in "bcd"]
    with pytest.raises(Refused, match="Too much"):
        tasks.start("pull", "e", _until_cancelled)
    assert [facts.subject for facts in tasks.listed()] == ["d", "c", "b", "a"]
    tasks.close()
    assert {_wait(tasks, facts).state for facts in (first, *others)} == {"cancelled"}
    assert tasks.running("a") is None
    with pytest.raises(Refused):
        tasks.start("pull", "a", _until_cancelled)


def test_an_end_is_told_with_its_reason_and_without_hidden_texts(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks(hidden=("/secret/place",))

    def fails(on_event: Listener, cancel: Cancel) -> dict[str, object]:
        raise FetchFailed("nothing in /secret/place", fix="try again")

    def breaks(on_event: Listener, cancel: Cancel) -> dict[str, object]:
        raise ZeroDivisionError("in /secret/place")

    failed = _wait(tasks, tasks.start("pull", "a", fails))
    assert (failed.state, failed.code, failed.message) == ("failed", "fetch_failed", "nothing in … try again")
    with use_language("zh"):
        broken = _wait(tasks, tasks.start("pull", "b", breaks))
    assert (broken.state, broken.code) == ("failed", "internal_error")
    assert broken.message.startswith("服务器未能完成")
    assert "ZeroDivisionError" in caplog.text
    kinds = [event.kind for _, event in tasks.of(broken.id).feed.after(0)[1]]
    assert kinds == ["started", "failed"]
    with pytest.raises(UnknownName):
        tasks.of("0" * 26)


def test_progress_is_told_as_often_as_somebody_can_look() -> None:
    tasks = Tasks()

    def works(on_event: Listener, cancel: Cancel) -> dict[str, object]:
        for done in range(1000):
            on_event(Progress(what="f", done=done, total=999, unit="bytes"))
        on_event(Noted(text="almost"))
        return {"n": 1}

    done = _wait(tasks, tasks.start("pull", "a", works))
    assert (done.state, done.done, done.notes, done.result) == ("finished", 999, ("almost",), {"n": 1})
    events = [event for _, event in tasks.of(done.id).feed.after(0)[1]]
    told = [event.done for event in events if isinstance(event, Progress)]
    assert told[0] == 0
    assert told[-1] == 999
    assert len(told) < 10


def test_the_oldest_that_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 3)
    tasks = Tasks()
    made = [_wait(tasks, tasks.start("pull", str(number), lambda *_: {})) for number in range(5)]
    assert [facts.subject for facts in tasks.listed()] == ["4", "3", "2"]
    with pytest.raises(UnknownName):
        tasks.of(made[0].id)


def test_a_task_ends_however_its_thread_does(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks()

    def leaves(on_event: Listener, cancel: Cancel) -> dict[str, object]:
        raise SystemExit(1)

    assert _wait(tasks, tasks.start("pull", "a", leaves)).code == "internal_error"

    def no_more(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        with pytest.raises(RuntimeError):
            tasks.start("pull", "b", leaves)
    assert tasks.running("b") is None
    tasks.close()
