"""A bounded queue for generations, fair between keys: whoever has least running goes first, then in turns."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from inkseal.core.language import say
from inkseal.serve.callers import Caller, Role
from inkseal.serve.errors import Busy

Limit = Callable[[Caller], None]


class JobQueue:
    """Gives places to callers. Used from one event loop.

    Args:
        max_running: places.
        max_waiting: how many may wait in all.
        max_waiting_per_key: how many of one key may wait.
        limit: raises when a key has used up what it may; asked before a place is given.
    """

    def __init__(
        self, max_running: int, max_waiting: int, max_waiting_per_key: int, limit: Limit | None = None
    ) -> None:
        self.max_running = max_running
        self.max_waiting = max_waiting
        self.max_waiting_per_key = max_waiting_per_key
        self.draining = False
        self._limit = limit
        self._running: Counter[str] = Counter()
        self._num_ending = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._mean_seconds = 2.0

    @property
    def num_running(self) -> int:
        return self._running.total()

    @property
    def num_waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def num_ending(self) -> int:
        """Returns how many gave their place back and are not done yet: what they made is being sealed."""
        return self._num_ending

    @property
    def num_open(self) -> int:
        """Returns how many callers are not done, whether they hold a place still or gave it back."""
        return self.num_running + self._num_ending

    def running_of(self, key_id: str) -> int:
        """Returns how many places a key holds."""
        return self._running[key_id]

    @asynccontextmanager
    async def slot(self, caller: Caller, role: Role = "creator") -> AsyncIterator[Callable[[], None]]:
        """Holds a place while the block runs, or until the block calls what it is given: the engine has stopped.

        No more may go on without a place than there are places; beyond that a place is held to the end, so that what
        is yet to be sealed stays bounded.

        Raises:
            Busy: the queue is full, or the key's quota is used up (429), or the server is closing (503).
            Refused: the caller has not the role that the work needs (403).
        """
        caller.require(role)
        if self._limit is not None:
            self._limit(caller)
        await self._enter(caller.key_id)
        begin = time.monotonic()
        holds = True

        def give_back() -> None:
            nonlocal holds
            if holds and self._num_ending < self.max_running:
                holds = False
                self._num_ending += 1
                self._leave(caller.key_id, time.monotonic() - begin)

        try:
            yield give_back
        finally:
            if holds:
                self._leave(caller.key_id, time.monotonic() - begin)
            else:
                self._num_ending -= 1

    def drain(self) -> None:
        """Takes no more work; what waits is sent away, what runs goes on."""
        self.draining = True
        for waiting in self._waiting.values():
            for place in waiting:
                if not place.done():
                    place.set_exception(_closing())
        self._waiting.clear()

    async def _enter(self, key_id: str) -> None:
        if self.draining:
            raise _closing()
        if self.num_running < self.max_running and not self._waiting:
            self._running[key_id] += 1
            return
        if self.num_waiting >= self.max_waiting or len(self._waiting.get(key_id, ())) >= self.max_waiting_per_key:
            raise Busy(
                "queue_full",
                say("Too many requests are waiting.", "等待的请求过多。"),
                self._forecast_seconds(),
            )
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key_id, deque()).append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._release(key_id)  # the place came in the moment the caller left
            else:
                self._forget(key_id, place)
            raise

    def _leave(self, key_id: str, seconds: float) -> None:
        self._mean_seconds += 0.2 * (seconds - self._mean_seconds)
        self._release(key_id)

    def _release(self, key_id: str) -> None:
        self._running[key_id] -= 1
        if self._running[key_id] <= 0:
            del self._running[key_id]
        while self._waiting and self.num_running < self.max_running:
            self._admit(min(self._waiting, key=lambda key: self._running[key]))

    def _admit(self, key_id: str) -> None:
        waiting = self._waiting[key_id]
        place = waiting.popleft()
        if waiting:
            self._waiting.move_to_end(key_id)
        else:
            del self._waiting[key_id]
        if not place.done():
            self._running[key_id] += 1
            place.set_result(None)

    def _forget(self, key_id: str, place: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(key_id)
        if waiting is not None and place in waiting:
            waiting.remove(place)
            if not waiting:
                del self._waiting[key_id]

    def _forecast_seconds(self) -> int:
        rounds = (self.num_waiting + 1) / self.max_running
        return min(600, 1 + int(rounds * self._mean_seconds))


def _closing() -> Busy:
    return Busy("closing", say("The server is closing.", "服务器正在关闭。"), 5, status=503)
