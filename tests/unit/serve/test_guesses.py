"""Who tries keys has to wait; who has a key that works goes on."""

import pytest

from inkseal.serve import guesses
from inkseal.serve.errors import Busy
from inkseal.serve.guesses import WRONG_PER_MINUTE, Guesses


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(guesses.time, "monotonic", lambda: now[0])
    return now


def _exhaust(found: Guesses, address: str) -> int:
    """Sends wrong keys until one is refused unseen; returns how long to wait."""
    for _ in range(WRONG_PER_MINUTE):
        found.take(address, None)
    with pytest.raises(Busy) as error:
        found.take(address, None)
    assert error.value.status == 429
    return error.value.retry_after_seconds


def test_after_too_many_wrong_keys_a_right_one_is_not_told_from_them(clock: list[float]) -> None:
    found = Guesses()
    _exhaust(found, "a")
    with pytest.raises(Busy):
        found.take("a", "right")


def test_a_key_that_has_worked_goes_on_working_and_other_addresses_are_untouched(clock: list[float]) -> None:
    found = Guesses()
    found.take("a", "known")
    _exhaust(found, "a")
    found.take("a", "known")
    found.take("b", "right")
    found.take("b", None)


def test_the_wait_that_is_told_is_long_enough(clock: list[float]) -> None:
    found = Guesses()
    seconds = _exhaust(found, "a")
    assert 1 <= seconds <= 60
    clock[0] += seconds
    found.take("a", "right")


def test_the_memory_is_bounded(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "_MAX_KEPT", 5)
    found = Guesses()
    for number in range(50):
        found.take(str(number), None)
        found.take(str(number), "key")
    assert len(found._wrong) == len(found._worked) == 5
