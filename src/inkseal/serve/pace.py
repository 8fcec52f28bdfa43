"""How many tokens the whole installation makes a second, now."""

import threading
import time
from collections import deque

from inkseal.core.events import Event, Generated

WINDOW_SECONDS = 5.0


class Pace:
    """Counts the tokens of all runs over the last seconds. Told by the studio in each run's thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._seen: deque[tuple[float, int]] = deque()

    def take(self, owner: str, run_id: str, event: Event) -> None:
        """Counts what an event brings."""
        if isinstance(event, Generated) and event.chunk.num_tokens:
            with self._guard:
                self._seen.append((time.monotonic(), event.chunk.num_tokens))
                self._clear()

    @property
    def tokens_per_second(self) -> float:
        """The mean over the last seconds, or since the first token in them."""
        with self._guard:
            self._clear()
            if not self._seen:
                return 0.0
            seconds = max(1.0, time.monotonic() - self._seen[0][0])
            return round(sum(count for _, count in self._seen) / seconds, 1)

    def _clear(self) -> None:
        oldest = time.monotonic() - WINDOW_SECONDS
        while self._seen and self._seen[0][0] < oldest:
            self._seen.popleft()
