"""What fits into memory: what is loaded, what a model would take, and which others would have to leave."""

from typing import Literal

import psutil

from inkseal.catalog.catalog import Entry
from inkseal.core.errors import InksealError
from inkseal.core.types import Closed
from inkseal.runtime.engine_process import EngineProcess
from inkseal.studio.studio import Studio

Fit = Literal["loaded", "fits", "evicts", "too_large", "unknown"]
LOADABLE = ("generate", "embed")


class EngineFacts(Closed):
    """A loaded engine. `size_bytes` counts against the budget, `resident_bytes` is what its process holds now."""

    model: str
    backend: str
    size_bytes: int
    resident_bytes: int | None = None
    users: int
    idle_seconds: float


class MemoryFacts(Closed):
    """One budget for all engines, and the machine around them."""

    budget_bytes: int
    taken_bytes: int
    machine_bytes: int
    available_bytes: int
    server_bytes: int
    engines: tuple[EngineFacts, ...]


class Need(Closed):
    """What a model takes, and whether there is room once the idle models in `evicts` have left."""

    fit: Fit = "unknown"
    bytes: int | None = None
    known_by: Literal["engine", "forecast", "card", ""] = ""
    missing_bytes: int = 0
    evicts: tuple[str, ...] = ()
    why: str = ""


def memory(studio: Studio) -> MemoryFacts:
    """Returns the state of memory now."""
    machine = psutil.virtual_memory()
    engines = tuple(
        EngineFacts(
            model=loaded.engine.model.name,
            backend=loaded.key.split(":", 1)[0],
            size_bytes=loaded.size_bytes,
            resident_bytes=loaded.engine.memory_bytes if isinstance(loaded.engine, EngineProcess) else None,
            users=loaded.users,
            idle_seconds=round(loaded.idle_seconds, 1),
        )
        for loaded in studio.engines.pool.state()
    )
    return MemoryFacts(
        budget_bytes=studio.engines.pool.budget_bytes,
        taken_bytes=sum(engine.size_bytes for engine in engines),
        machine_bytes=machine.total,
        available_bytes=machine.available,
        server_bytes=psutil.Process().memory_info().rss,
        engines=engines,
    )


def need(studio: Studio, entry: Entry) -> Need:
    """Returns what a model of the catalogue takes; of one that is not here, what its card says."""
    card = entry.card
    if card.task not in LOADABLE:
        return Need()
    if card.files and (entry.installed is None or entry.problem):
        return _by_card(studio, card.memory_bytes)
    try:
        model = studio.engines.local_model(card.name)
        key, num_bytes = studio.engines.forecast(model, card.task)
    except InksealError as error:
        return Need(why=error.what)
    loaded = {each.key: each for each in studio.engines.pool.state()}
    if key in loaded:
        return Need(fit="loaded", bytes=loaded[key].size_bytes, known_by="engine")
    plan = studio.engines.pool.plan(key, num_bytes)
    leaving = tuple(loaded[each].engine.model.name for each in plan.evicted if each in loaded)
    fit: Fit = "too_large" if plan.missing_bytes else "evicts" if leaving else "fits"
    return Need(fit=fit, bytes=num_bytes, known_by="forecast", missing_bytes=plan.missing_bytes, evicts=leaving)


def _by_card(studio: Studio, num_bytes: int | None) -> Need:
    if num_bytes is None:
        return Need()
    missing = num_bytes - studio.engines.pool.budget_bytes
    if missing > 0:
        return Need(fit="too_large", bytes=num_bytes, known_by="card", missing_bytes=missing)
    return Need(fit="fits", bytes=num_bytes, known_by="card")
