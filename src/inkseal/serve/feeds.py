"""The events of runs that go on or ended lately, for any number of readers; a slow one costs nothing but itself."""

import asyncio
import contextlib
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator
from typing import ClassVar, TypeVar, cast

from inkseal.apps.events import AppFailed, KeptEvent
from inkseal.core.errors import UnknownName
from inkseal.core.events import ArtifactReady, Event, Failed, Finished, Generated, Noted
from inkseal.core.language import say
from inkseal.serve.callers import Caller
from inkseal.serve.errors import Busy, without
from inkseal.serve.metrics import Metrics

MAX_FEEDS = 256
MAX_EVENTS = 4096
PING_SECONDS = 10.0
E = TypeVar("E", bound=KeptEvent)


class Feed:
    """The last events of one run, numbered from 1. Written by the run's thread, read in the event loop."""

    last: ClassVar[tuple[type, ...]] = (Finished, Failed)
    """After one of these nothing comes."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.over = False
        self.num_events = 0
        self._num_dropped = 0
        self._events: deque[tuple[int, KeptEvent]] = deque()
        self._guard = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def put(self, event: KeptEvent) -> None:
        """Adds an event and wakes who waits."""
        with self._guard:
            self._keep(event)
            self.over = self.over or isinstance(event, self.last)
            waiting = list(self._waiting.items())
            self._waiting.clear()
        for ready, loop in waiting:
            with contextlib.suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(ready.set)

    def after(self, number: int) -> tuple[int, list[tuple[int, KeptEvent]]]:
        """Returns how many events beyond `number` are no longer kept, and those that are, with their numbers."""
        with self._guard:
            found = []
            for pair in reversed(self._events):
                if pair[0] <= number:
                    break
                found.append(pair)
            return max(0, self._num_dropped - number), found[::-1]

    def made(self, artifact_id: str) -> bool:
        """True when the artifact is one of the run's results."""
        with self._guard:
            events = [event for _, event in self._events]
        return any(isinstance(event, ArtifactReady) and event.artifact.id == artifact_id for event in events)

    def _keep(self, event: KeptEvent) -> None:
        self.num_events += 1
        self._events.append((self.num_events, event))
        if len(self._events) > MAX_EVENTS:
            self._num_dropped = self._events.popleft()[0]

    async def wait(self, number: int, seconds: float) -> None:
        """Waits until there are events beyond `number`, the run is over, or the time is."""
        ready = asyncio.Event()
        with self._guard:
            if self.num_events > number or self.over:
                return
            self._waiting[ready] = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await ready.wait()
        except TimeoutError:
            pass
        finally:
            with self._guard:
                self._waiting.pop(ready, None)


class Feeds:
    """The feeds of all runs.

    Args:
        hidden: texts, such as the data folder's path, that no event may carry.
    """

    def __init__(self, metrics: Metrics, max_streams_per_key: int, hidden: tuple[str, ...] = ()) -> None:
        self._metrics = metrics
        self._hidden = hidden
        self._max_streams = max_streams_per_key
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._streams: Counter[str] = Counter()
        self._guard = threading.Lock()

    def take(self, owner: str, run_id: str, event: Event) -> None:
        """Takes an event of a run; the studio calls this in the run's thread."""
        feed = self._feeds.get(run_id)
        if feed is None:
            with self._guard:
                feed = self._feeds[run_id] = Feed(owner)
                self._clear()
        feed.put(told(event, self._hidden))
        if isinstance(event, Finished):
            self._metrics.tokens(event.usage.prompt_tokens, event.usage.completion_tokens)

    def of(self, run_id: str, caller: Caller) -> Feed:
        """Returns the feed of a run.

        Raises:
            UnknownName: there is none for this caller.
        """
        feed = self._feeds.get(run_id)
        if feed is None or not caller.may_see(feed.owner):
            raise UnknownName("run", run_id, ())
        return feed

    def is_over(self, run_id: str) -> bool:
        """Returns True once the last event of a run has come; of one that was forgotten too."""
        feed = self._feeds.get(run_id)
        return feed is None or feed.over

    def forget(self, artifact_id: str) -> None:
        """Drops the events of the run that made an artifact: its words are in them."""
        with self._guard:
            for run_id in [run_id for run_id, feed in self._feeds.items() if feed.over and feed.made(artifact_id)]:
                del self._feeds[run_id]

    def check(self, caller: Caller) -> None:
        """Refuses a key that holds enough streams.

        Raises:
            Busy: naming the limit.
        """
        if self._streams[caller.key_id] >= self._max_streams:
            raise Busy("too_many_streams", say("This key holds too many streams.", "此密钥打开的事件流过多。"), 10)

    async def counted(self, caller: Caller, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Yields the pieces, and counts the stream as the caller's meanwhile."""
        self._streams[caller.key_id] += 1
        try:
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    yield piece
        finally:
            self._streams[caller.key_id] -= 1

    def _clear(self) -> None:
        ended = [run_id for run_id, feed in self._feeds.items() if feed.over]
        for run_id in ended[: max(0, len(self._feeds) - MAX_FEEDS)]:
            del self._feeds[run_id]


async def frames(feed: Feed, number: int = 0) -> AsyncGenerator[bytes, None]:
    """Yields the events beyond `number` as server-sent events until the run is over, and signs of life between.

    Events that are no longer kept are counted in a `gap` event.
    """
    while True:
        over = feed.over
        num_missed, events = feed.after(number)
        if num_missed:
            yield b'event: gap\ndata: {"missed": %d}\n\n' % num_missed
        for place, event in events:
            yield frame(place, event)
        number = events[-1][0] if events else number + num_missed
        if over and number >= feed.num_events:
            return
        await feed.wait(number, PING_SECONDS)
        if feed.num_events <= number and not feed.over:
            yield b": still here\n\n"


def told(event: E, hidden: tuple[str, ...]) -> E:
    """Returns the event as its readers may have it: without what is hidden in the words of an error or a note."""
    if isinstance(event, Failed | AppFailed):
        return cast(E, event.model_copy(update={"message": without(event.message, hidden)}))
    if isinstance(event, Noted):
        return cast(E, event.model_copy(update={"text": without(event.text, hidden)}))
    return event


def frame(number: int, event: KeptEvent) -> bytes:
    """Returns one event as a frame; bytes of media stay in the artifact."""
    if isinstance(event, Generated) and event.chunk.data:
        event = event.model_copy(update={"chunk": event.chunk.model_copy(update={"data": b""})})
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.kind.encode(), event.model_dump_json().encode())
