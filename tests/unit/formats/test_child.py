"""A child process that does not answer: whether it took too long, or had no time."""

import subprocess
from typing import Any

import pytest

from inkseal.core.errors import EngineFailed
from inkseal.formats.child import Child, Starved

WORKER = "inkseal.formats._template_worker"


def test_a_child_that_had_no_time_is_told_from_one_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    died = Child("inkseal.nothing_of_that_name", None, 30.0)
    with pytest.raises(TimeoutError) as found:
        died.start()
    assert not isinstance(found.value, Starved)
    monkeypatch.setattr("inkseal.formats.child.WALL_FACTOR", 1e-4)
    with pytest.raises(Starved):
        Child(WORKER, None, 30.0).start()


def test_a_close_while_the_child_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(WORKER, None, 30.0)
    started = []

    class Closes(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            child._closed = True  # as `close` leaves it that came when there was no process yet

    monkeypatch.setattr(subprocess, "Popen", Closes)
    with pytest.raises(EngineFailed, match="closed"):
        child.start()
    assert started[0].returncode is not None
