import threading

import psutil
import pytest

from inkseal.core.errors import Cancelled, NotEnoughMemory
from inkseal.core.protocols import LocalModel
from inkseal.runtime.engines import EnginePool

MIB = 1 << 20


class Fake:
    model: LocalModel

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def _use(pool: EnginePool, key: str, size: int) -> Fake:
    with pool.lease(key, lambda: size, Fake) as engine:
        assert isinstance(engine, Fake)
        return engine


def test_an_engine_is_loaded_once() -> None:
    pool = EnginePool(100 * MIB)
    assert _use(pool, "a", MIB) is _use(pool, "a", MIB)


def test_what_was_used_longest_ago_leaves_first() -> None:
    pool = EnginePool(100 * MIB)
    a, b = _use(pool, "a", 60 * MIB), _use(pool, "b", 60 * MIB)
    assert not a.closed  # after loading, half the forecast counts, as nothing was really taken
    _use(pool, "a", 60 * MIB)
    _use(pool, "c", 50 * MIB)
    assert b.closed
    assert not a.closed


def test_an_engine_at_work_stays_and_the_refusal_says_how_much_is_missing() -> None:
    pool = EnginePool(100 * MIB)
    with (
        pool.lease("a", lambda: 120 * MIB // 2, Fake) as busy,
        pytest.raises(NotEnoughMemory, match=r"needs about 0\.1 GiB; 0\.0 GiB are missing"),
        pool.lease("b", lambda: 95 * MIB, Fake),
    ):
        pass
    assert isinstance(busy, Fake)
    assert not busy.closed


def test_more_than_the_machine_has_is_refused_whatever_the_budget() -> None:
    pool = EnginePool(1 << 60)
    with (
        pytest.raises(NotEnoughMemory, match="are missing"),
        pool.lease("a", lambda: psutil.virtual_memory().total * 2, Fake),
    ):
        pass


def test_two_threads_that_want_the_same_engine_load_it_once() -> None:
    pool, made = EnginePool(100 * MIB), []
    start = threading.Barrier(4)

    def load() -> Fake:
        made.append(1)
        return Fake()

    def work() -> None:
        start.wait()
        with pool.lease("a", lambda: MIB, load):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_unloading_spares_an_engine_at_work() -> None:
    pool = EnginePool(100 * MIB)
    with pool.lease("a", lambda: MIB, Fake) as engine:
        assert not pool.unload("a")
    assert pool.unload("a")
    assert isinstance(engine, Fake)
    assert engine.closed
    assert pool.loaded() == {}


class Ending(Fake):
    alive = True


def test_an_engine_that_has_ended_is_closed_and_loaded_anew() -> None:
    pool = EnginePool(100 * MIB)
    with pool.lease("a", lambda: MIB, Ending) as first:
        assert isinstance(first, Ending)
        first.alive = False
        with pool.lease("a", lambda: MIB, Ending) as second:
            assert second is not first
        assert first.closed
    with pool.lease("a", lambda: MIB, Ending) as third:
        assert third is second


def test_a_plan_says_who_would_leave_and_then_they_do() -> None:
    pool = EnginePool(100 * MIB)
    fakes = {key: _use(pool, key, 40 * MIB) for key in "abc"}  # half the forecast counts, as nothing is taken
    assert [loaded.key for loaded in pool.state()] == ["a", "b", "c"]
    assert pool.plan("a", 40 * MIB).evicted == ()
    plan = pool.plan("d", 70 * MIB)
    assert (plan.evicted, plan.missing_bytes) == (("a", "b"), 0)
    assert not any(fake.closed for fake in fakes.values())
    _use(pool, "d", 70 * MIB)
    assert [key for key, fake in fakes.items() if fake.closed] == ["a", "b"]
    with pool.lease("c", MIB, Fake):
        assert pool.plan("e", 90 * MIB).evicted == ("d",)
        assert pool.plan("e", 90 * MIB).missing_bytes == 10 * MIB


def test_who_waits_for_anothers_load_may_leave() -> None:
    pool = EnginePool(100 * MIB)
    loading, loaded, left = threading.Event(), threading.Event(), threading.Event()

    def load() -> Fake:
        loading.set()
        assert loaded.wait(60)
        return Fake()

    thread = threading.Thread(target=lambda: pool.lease("a", lambda: MIB, load).__enter__())
    thread.start()
    assert loading.wait(60)
    left.set()
    with pytest.raises(Cancelled, match="another model"), pool.lease("b", lambda: MIB, Fake, left):
        pass
    loaded.set()
    thread.join()
    assert set(pool.loaded()) == {"a"}
    assert isinstance(_use(pool, "b", MIB), Fake)
