"""One memory budget for all loaded engines: forecast before a load, evict what was used longest ago, or refuse."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import psutil

from inkseal.core.errors import Cancelled, NotEnoughMemory
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Engine
from inkseal.runtime.signals import keep_signal_stack

GIB = 1 << 30
WAIT_SECONDS = 0.05
"""Between two looks whether somebody who waits for a load has left."""


@runtime_checkable
class Mortal(Protocol):
    """An engine that can end by itself, such as one in a process of its own."""

    @property
    def alive(self) -> bool: ...


@dataclass(frozen=True)
class Loaded:
    """An engine in memory, as it stands now."""

    key: str
    engine: Engine
    size_bytes: int
    users: int
    idle_seconds: float


@dataclass(frozen=True)
class Plan:
    """What a load would do: which idle engines leave, in this order, and how much would still be missing."""

    evicted: tuple[str, ...]
    missing_bytes: int


@dataclass
class _Slot:
    engine: Engine
    size_bytes: int
    users: int = 0
    last_used: float = field(default_factory=time.monotonic)


class EnginePool:
    """Loaded engines by key. Leasing loads at most once; idle engines leave in order of last use.

    An engine whose process has ended is loaded anew by the next lease.

    Args:
        budget_bytes: what all engines together may take.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    @contextlib.contextmanager
    def lease(
        self, key: str, forecast: Callable[[], int], load: Callable[[], Engine], cancel: Cancel | None = None
    ) -> Iterator[Engine]:
        """Gives the engine of `key`, loaded by `load` if need be, which stays in memory while the block runs.

        Only a load asks for the forecast of its bytes: that may mean reading the model's file.

        Raises:
            NotEnoughMemory: the forecast does not fit even after every idle engine has left.
            Cancelled: `cancel` was set while another engine was being loaded.
        """
        slot = self._take(key)
        if slot is None:
            with self._turn(cancel):
                slot = self._take(key) or self._load(key, forecast(), load)
        try:
            yield slot.engine
        finally:
            with self._lock:
                slot.users -= 1
                slot.last_used = time.monotonic()

    @contextlib.contextmanager
    def _turn(self, cancel: Cancel | None) -> Iterator[None]:
        """Waits until nobody else loads; one after the other, so that each forecast knows what is taken."""
        while not self._loading.acquire(timeout=WAIT_SECONDS):
            if cancel is not None and cancel.is_set():
                raise Cancelled(say("Stopped while another model was being loaded.", "已在等待其他模型加载时停止。"))
        try:
            yield
        finally:
            self._loading.release()

    def loaded(self) -> dict[str, int]:
        """Returns the size of each loaded engine in bytes."""
        with self._lock:
            return {key: slot.size_bytes for key, slot in self._slots.items()}

    def state(self) -> list[Loaded]:
        """Returns every loaded engine, the one used longest ago first."""
        moment = time.monotonic()
        with self._lock:
            found = [
                Loaded(key, slot.engine, slot.size_bytes, slot.users, 0.0 if slot.users else moment - slot.last_used)
                for key, slot in self._slots.items()
                if _lives(slot.engine)
            ]
        return sorted(found, key=lambda loaded: -loaded.idle_seconds)

    def plan(self, key: str, needed: int) -> Plan:
        """Returns what a lease would do now, without doing it; nothing for an engine that is loaded."""
        loaded = self.state()
        if any(each.key == key for each in loaded):
            return Plan((), 0)
        missing = self._missing(needed)
        leaving = []
        for each in loaded:
            if missing > 0 and not each.users:
                leaving.append(each.key)
                missing -= each.size_bytes
        return Plan(tuple(leaving), max(0, missing))

    def unload(self, key: str) -> bool:
        """Frees an idle engine; False when it is not loaded or is at work."""
        with self._lock:
            slot = self._slots.get(key)
            if slot is None or slot.users:
                return False
            del self._slots[key]
        slot.engine.close()
        keep_signal_stack()
        return True

    def close(self) -> None:
        """Closes every engine; running requests end with EngineFailed."""
        with self._lock:
            slots, self._slots = list(self._slots.values()), {}
        for slot in slots:
            slot.engine.close()
        keep_signal_stack()

    def _take(self, key: str) -> _Slot | None:
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                return None
            if _lives(slot.engine):
                slot.users += 1
                return slot
            del self._slots[key]
        slot.engine.close()
        return None

    def _load(self, key: str, forecast_bytes: int, load: Callable[[], Engine]) -> _Slot:
        self._make_room(key, forecast_bytes)
        before = _resident_bytes()
        engine = load()
        keep_signal_stack()
        # A forecast errs on the safe side; what was really taken counts from here on, when it can be seen.
        grown = _resident_bytes() - before
        slot = _Slot(engine, max(grown, forecast_bytes // 2), users=1)
        with self._lock:
            self._slots[key] = slot
        return slot

    def _make_room(self, key: str, needed: int) -> None:
        while True:
            taken = sum(self.loaded().values())
            missing = self._missing(needed)
            if missing <= 0:
                return
            idle = self._longest_idle()
            if idle is None:
                raise NotEnoughMemory(
                    say(
                        f"{key} needs about {needed / GIB:.1f} GiB; {missing / GIB:.1f} GiB are missing "
                        f"(budget {self.budget_bytes / GIB:.1f} GiB, {taken / GIB:.1f} GiB in use).",
                        f"{key} 约需 {needed / GIB:.1f} GiB，还缺 {missing / GIB:.1f} GiB"
                        f"（预算 {self.budget_bytes / GIB:.1f} GiB，已用 {taken / GIB:.1f} GiB）。",
                    ),
                    fix=say(
                        "Choose a smaller model (`inkseal models list`) or raise memory_budget_bytes.",
                        "请选择更小的模型（`inkseal models list`）或调高 memory_budget_bytes。",
                    ),
                )
            self.unload(idle)

    def _missing(self, needed: int) -> int:
        taken = sum(self.loaded().values())
        return max(taken + needed - self.budget_bytes, needed - psutil.virtual_memory().available)

    def _longest_idle(self) -> str | None:
        with self._lock:
            idle = [(slot.last_used, key) for key, slot in self._slots.items() if not slot.users]
        return min(idle)[1] if idle else None


def _lives(engine: Engine) -> bool:
    return engine.alive if isinstance(engine, Mortal) else True


def _resident_bytes() -> int:
    """Returns the memory of this process and of those it has started: an engine may live in either."""
    own = psutil.Process()
    total = int(own.memory_info().rss)
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            total += int(child.memory_info().rss)
    return total
