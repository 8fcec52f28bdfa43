"""The bridge between the studio's threads and the event loop: order, errors, leaving, slow readers, language."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from inkseal.core.errors import EngineFailed
from inkseal.core.events import Event, Generated, Withdrawn
from inkseal.core.language import say, use_language
from inkseal.core.types import Chunk, Request, Verdict
from inkseal.modalities.text.request import TextRequest
from inkseal.serve import bridge
from inkseal.serve.bridge import ClientLeft, batches, call, run
from inkseal.serve.callers import LOCAL
from inkseal.serve.queue import JobQueue
from inkseal.studio.studio import Studio

ASKED = TextRequest.of("x")
VERDICT = Verdict(check="c", version="1", stage="result", action="block")


class Fake:
    """Stands for the studio: runs a function with the listener and the cancel signal."""

    def __init__(self, work: Callable[[Callable[[Event], None], Any], None]) -> None:
        self.work = work
        self.owners: list[str] = []
        self.ended = threading.Event()

    def run(self, request: Request, emit: Callable[[Event], None], cancel: Any, *, owner: str) -> None:
        self.owners.append(owner)
        try:
            self.work(emit, cancel)
        finally:
            self.ended.set()

    @property
    def studio(self) -> Studio:
        return cast(Studio, self)


class Client:
    """Stands for an HTTP client, which leaves when it is told to."""

    def __init__(self, queue: JobQueue | None = None) -> None:
        self.app = SimpleNamespace(state=SimpleNamespace(queue=queue or JobQueue(2, 2, 2)))
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


def word(number: int) -> Generated:
    return Generated(chunk=Chunk(text=str(number)))


def endless(emit: Callable[[Event], None], cancel: Any) -> None:
    while not cancel.is_set():
        emit(word(0))
        time.sleep(0.001)


def test_events_come_in_order_and_all_of_them() -> None:
    fake = Fake(lambda emit, _: [emit(word(i)) for i in range(5000)] and None)

    async def read() -> list[str]:
        return [event.chunk.text async for event in run(fake.studio, ASKED, LOCAL) if isinstance(event, Generated)]

    assert asyncio.run(read()) == [str(i) for i in range(5000)]


def test_the_error_comes_after_the_last_event() -> None:
    def work(emit: Callable[[Event], None], _: Any) -> None:
        emit(word(1))
        raise EngineFailed("broke")

    async def read() -> None:
        events = run(Fake(work).studio, ASKED, LOCAL)
        assert isinstance(await anext(events), Generated)
        with pytest.raises(EngineFailed, match="broke"):
            await anext(events)

    asyncio.run(read())


def test_a_request_is_made_in_the_runs_thread_and_in_its_language() -> None:
    made: list[tuple[str, str]] = []

    def make() -> Request:
        made.append((threading.current_thread().name, say("en", "zh")))
        return ASKED

    async def read() -> None:
        with use_language("zh"):
            assert [event async for event in run(Fake(lambda emit, _: emit(word(1))).studio, make, LOCAL)]
            assert await call(say, "en", "zh") == "zh"

    asyncio.run(read())
    assert made == [("inkseal-run", "zh")]


@pytest.mark.parametrize("how", ["disconnect", "close"])
def test_a_reader_that_leaves_ends_the_run_and_frees_its_place(how: str) -> None:
    fake = Fake(endless)

    async def read() -> float:
        client = Client()
        queue: JobQueue = client.app.state.queue
        events = batches(fake.studio, ASKED, LOCAL, cast(Any, client))
        assert await anext(events)
        assert queue.num_running == 1
        begun = time.monotonic()
        if how == "close":
            await events.aclose()
        else:
            client.gone.set()
            with pytest.raises(ClientLeft):
                await read_on(events)
        assert queue.num_running == 0
        return time.monotonic() - begun

    assert asyncio.run(read()) < 5  # the work itself is endless
    assert fake.ended.is_set()


def test_the_place_is_free_when_the_last_result_has_ended_and_the_run_is_awaited_still() -> None:
    sealed = threading.Event()

    def work(emit: Callable[[Event], None], _: Any) -> None:
        emit(Generated(chunk=Chunk(index=0, text="one", finish_reason="stop")))
        emit(Withdrawn(index=1, verdict=VERDICT, num_chars_shown=0))
        assert sealed.wait(10)

    async def read() -> tuple[int, int, int]:
        client = Client()
        queue: JobQueue = client.app.state.queue
        asked = ASKED.model_copy(update={"n": 2})
        events = batches(Fake(work).studio, asked, LOCAL, cast(Any, client))
        assert await anext(events)
        while queue.num_running:
            await asyncio.sleep(0.001)
        counts = queue.num_running, queue.num_ending, queue.num_open
        sealed.set()
        await read_on(events)
        assert queue.num_open == 0
        return counts

    assert asyncio.run(asyncio.wait_for(read(), 10)) == (0, 1, 1)


def test_a_place_is_held_while_one_of_the_results_goes_on() -> None:
    def work(emit: Callable[[Event], None], cancel: Any) -> None:
        emit(Generated(chunk=Chunk(index=0, text="one", finish_reason="stop")))
        endless(emit, cancel)

    async def read() -> int:
        client = Client()
        events = batches(Fake(work).studio, ASKED.model_copy(update={"n": 2}), LOCAL, cast(Any, client))
        for _ in range(5):
            await anext(events)
        running = client.app.state.queue.num_running
        await events.aclose()
        return int(running)

    assert asyncio.run(read()) == 1


def test_a_client_that_leaves_while_it_waits_gives_its_turn_away() -> None:
    fake = Fake(endless)

    async def read() -> None:
        queue = JobQueue(1, 2, 2)
        first = batches(fake.studio, ASKED, LOCAL, cast(Any, Client(queue)))
        await anext(first)
        client = Client(queue)
        second = asyncio.create_task(anext(batches(fake.studio, ASKED, LOCAL, cast(Any, client))))
        while not queue.num_waiting:
            await asyncio.sleep(0)
        client.gone.set()
        with pytest.raises(ClientLeft):
            await second
        assert (queue.num_waiting, queue.num_running) == (0, 1)
        await first.aclose()

    asyncio.run(read())
    assert len(fake.owners) == 1


def test_what_waits_for_a_slow_reader_is_bounded() -> None:
    most = 0
    sent = 0

    def work(emit: Callable[[Event], None], cancel: Any) -> None:
        nonlocal sent
        while sent < 5 * bridge.BUFFER_EVENTS and not cancel.is_set():
            emit(word(sent))
            sent += 1

    async def read() -> int:
        nonlocal most
        seen = 0
        async for batch in batches(Fake(work).studio, ASKED, LOCAL):
            await asyncio.sleep(0.05)
            seen += len(batch)
            most = max(most, sent - seen)
        return seen

    assert asyncio.run(read()) == 5 * bridge.BUFFER_EVENTS
    assert most <= 2 * bridge.BUFFER_EVENTS


def test_a_reader_that_takes_nothing_for_too_long_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "STALL_SECONDS", 0.2)
    fake = Fake(flood)

    async def read() -> None:
        events = batches(fake.studio, ASKED, LOCAL)
        await anext(events)
        await asyncio.to_thread(fake.ended.wait, 5)
        assert fake.ended.is_set()
        with pytest.raises(ClientLeft):
            await anext(events)

    asyncio.run(read())


def flood(emit: Callable[[Event], None], cancel: Any) -> None:
    while not cancel.is_set():
        emit(word(0))


def test_silence_gives_an_empty_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "IDLE_SECONDS", 0.05)

    async def read() -> list[int]:
        return [len(batch) async for batch in batches(Fake(quiet).studio, ASKED, LOCAL)]

    sizes = asyncio.run(read())
    assert sizes[0] == 0
    assert sum(sizes) == 1


async def read_on(events: AsyncIterator[list[Event]]) -> None:
    async for _ in events:
        pass


def quiet(emit: Callable[[Event], None], _: Any) -> None:
    time.sleep(0.3)
    emit(word(1))
