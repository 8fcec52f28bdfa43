"""The queue: bounded, fair between keys, and it never loses a place."""

import asyncio
import random

import pytest

from inkseal.serve.callers import Caller
from inkseal.serve.errors import Busy, Refused
from inkseal.serve.queue import JobQueue


def _caller(name: str, role: str = "creator") -> Caller:
    return Caller.model_validate({"key_id": name, "name": name, "role": role, "owner": name})


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_has_least_running_goes_first_then_in_turns() -> None:
    async def main() -> list[str]:
        queue, order, release = JobQueue(1, 100, 100), [], asyncio.Event()

        async def job(name: str) -> None:
            async with queue.slot(_caller(name)):
                order.append(name)
                await release.wait()
                await asyncio.sleep(0)

        jobs = [asyncio.create_task(job(name)) for name in ("a", "a", "a", "a", "b", "b", "c")]
        await _settle()
        release.set()
        await asyncio.gather(*jobs)
        assert (queue.num_running, queue.num_waiting) == (0, 0)
        return order

    assert asyncio.run(main()) == ["a", "a", "b", "c", "a", "b", "a"]


def test_beyond_the_bounds_it_says_when_to_come_again() -> None:
    async def main() -> None:
        queue = JobQueue(1, 2, 1)
        async with queue.slot(_caller("a")):
            waiting = [asyncio.create_task(_hold(queue, name)) for name in ("a", "b")]
            await _settle()
            for name in ("a", "c"):
                with pytest.raises(Busy) as refused:
                    await _hold(queue, name)
                assert refused.value.status == 429
                assert refused.value.retry_after_seconds >= 1
        await asyncio.gather(*waiting)

    asyncio.run(main())


async def _hold(queue: JobQueue, name: str) -> None:
    async with queue.slot(_caller(name)):
        await asyncio.sleep(0)


def test_whoever_leaves_while_waiting_loses_nobody_a_place() -> None:
    async def main(seed: int) -> None:
        chance = random.Random(seed)
        queue, most = JobQueue(3, 1000, 1000), 0

        async def job(name: str) -> None:
            nonlocal most
            async with queue.slot(_caller(name)):
                most = max(most, queue.num_running)
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)

        jobs = [asyncio.create_task(job(chance.choice("abc"))) for _ in range(60)]
        for _ in range(40):
            await asyncio.sleep(0)
            chance.choice(jobs).cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        assert (queue.num_running, queue.num_waiting) == (0, 0)
        assert most == 3

    for seed in range(60):
        asyncio.run(main(seed))


def test_no_more_go_on_without_a_place_than_there_are_places() -> None:
    async def main() -> list[tuple[int, int]]:
        queue, gone = JobQueue(2, 100, 100), asyncio.Event()

        async def job() -> None:
            async with queue.slot(_caller("a")) as give_back:
                give_back()
                give_back()
                await gone.wait()

        jobs = [asyncio.create_task(job()) for _ in range(5)]
        await _settle()
        counts = [(queue.num_running, queue.num_ending)]
        gone.set()
        await asyncio.gather(*jobs)
        return [*counts, (queue.num_open, queue.num_waiting)]

    # Two go on without a place, two hold theirs to the end, and the fifth waits for one.
    assert asyncio.run(main()) == [(2, 2), (0, 0)]


def test_draining_sends_away_who_waits_and_lets_finish_who_runs() -> None:
    async def main() -> None:
        queue = JobQueue(1, 10, 10)
        async with queue.slot(_caller("a")):
            waiting = asyncio.create_task(_hold(queue, "b"))
            await _settle()
            queue.drain()
            with pytest.raises(Busy) as refused:
                await waiting
            assert refused.value.status == 503
        with pytest.raises(Busy):
            await _hold(queue, "c")
        assert queue.num_running == 0

    asyncio.run(main())


def test_a_viewer_gets_no_place() -> None:
    async def main() -> None:
        with pytest.raises(Refused) as refused:
            async with JobQueue(1, 1, 1).slot(_caller("v", "viewer")):
                raise AssertionError
        assert refused.value.status == 403

    asyncio.run(main())
