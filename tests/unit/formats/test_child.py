"""A child process that does not answer: whether it took too long, or had no time."""

import pytest

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
