"""Several prompts in one request: one run after the other, told as if they were one with all the results."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from inkseal.core.events import ArtifactReady, Event, Finished, Generated, Started, Withdrawn
from inkseal.core.types import Energy, Usage

Events = AsyncGenerator[list[Event], None]


async def in_turn(runs: Sequence[Callable[[], Events]], results_each: int) -> Events:
    """Yields the events of the runs; result j of run i has the number i · results_each + j.

    The first run's id stands for all of them; the last event has what they cost together. An error of one run ends
    them all; what was sealed by then stays sealed.
    """
    usages: list[Usage] = []
    for place, begin in enumerate(runs):
        async with aclosing(begin()) as events:
            async for batch in events:
                told: list[Event] = []
                for event in batch:
                    if isinstance(event, Finished):
                        usages.append(event.usage)
                        if place == len(runs) - 1:
                            told.append(event.model_copy(update={"usage": together(usages)}))
                    elif place == 0 or not isinstance(event, Started):
                        told.append(_moved(event, place * results_each))
                if told or not batch:
                    yield told


def together(usages: Sequence[Usage]) -> Usage:
    """Returns what several runs cost, one after the other."""
    cached = [usage.cached_tokens for usage in usages if usage.cached_tokens is not None]
    peaks = [usage.peak_memory_bytes for usage in usages if usage.peak_memory_bytes is not None]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        cached_tokens=sum(cached) if len(cached) == len(usages) else None,
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        first_chunk_seconds=usages[0].first_chunk_seconds,
        total_seconds=sum(usage.total_seconds for usage in usages),
        peak_memory_bytes=max(peaks, default=None),
        energy=_energy([usage.energy for usage in usages]),
        reported={name: value for usage in usages for name, value in usage.reported.items()},
    )


def _energy(found: Sequence[Energy | None]) -> Energy | None:
    known = [energy for energy in found if energy is not None]
    if not known or len(known) < len(found) or len({(energy.kind, energy.formula) for energy in known}) > 1:
        return None
    return known[0].model_copy(update={"energy_joules": sum(energy.energy_joules for energy in known)})


def _moved(event: Event, by: int) -> Event:
    if not by:
        return event
    if isinstance(event, Generated):
        chunk = event.chunk.model_copy(update={"index": event.chunk.index + by})
        return event.model_copy(update={"chunk": chunk})
    if isinstance(event, Withdrawn | ArtifactReady):
        return event.model_copy(update={"index": event.index + by})
    return event
