"""When a run must stop: somebody asked, or its time is over."""

import time

from inkseal.core.protocols import Cancel


class Deadline:
    """A cancel signal that also sets itself when the time is over.

    Args:
        seconds: the longest time from now.
        outer: the caller's own signal.
    """

    def __init__(self, seconds: float, outer: Cancel | None = None) -> None:
        self._end = time.monotonic() + seconds
        self._outer = outer

    @property
    def timed_out(self) -> bool:
        return time.monotonic() >= self._end

    @property
    def seconds_left(self) -> float:
        """Time until the end, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def is_set(self) -> bool:
        """True once the run should end."""
        return self.timed_out or (self._outer is not None and self._outer.is_set())
