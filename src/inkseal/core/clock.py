"""A clock that nobody sets: for ids, which must stay in order, and for what lasts so long and no longer.

It tells the machine's time as it was when the process began, and what has passed since. What is recorded for people
to read has the machine's own time instead.
"""

import time
from datetime import UTC, datetime


def _passed_ns() -> int:
    """Returns nanoseconds since some moment; where the system tells it, the sleep of a suspended machine counts."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)


_BEGAN_NS = time.time_ns() - _passed_ns()


def steady_ns() -> int:
    """Returns nanoseconds since 1970 on the clock that nobody sets."""
    return _BEGAN_NS + _passed_ns()


def steady() -> datetime:
    """Returns the time on the clock that nobody sets, in UTC."""
    return datetime.fromtimestamp(steady_ns() / 1e9, UTC)
