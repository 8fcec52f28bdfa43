"""Learning rates at their corners."""

import math

import pytest

from inkseal.workshop.train.lr_schedule import LrSchedule


def test_it_rises_linearly() -> None:
    schedule = LrSchedule(kind="constant", warm_up_steps=4)
    assert [schedule.factor(step, 100) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_a_cosine_is_halfway_in_the_middle() -> None:
    schedule = LrSchedule(kind="cosine", warm_up_steps=10, floor=0.1)
    assert schedule.factor(10, 110) == 1
    assert schedule.factor(60, 110) == pytest.approx(0.55)
    assert schedule.factor(35, 110) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 4)))
    assert schedule.factor(110, 110) == pytest.approx(0.1)


def test_a_trapezoid_is_flat_and_then_falls() -> None:
    schedule = LrSchedule(kind="trapezoid", warm_up_steps=5, tail=0.2, floor=0)
    assert {schedule.factor(step, 100) for step in range(5, 81)} == {1.0}
    falling = [schedule.factor(step, 100) for step in range(80, 101)]
    assert falling == sorted(falling, reverse=True)
    assert falling[10] == pytest.approx(0.5)
    assert falling[-1] == pytest.approx(0)
