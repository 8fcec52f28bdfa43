"""One remote call's results on their way to chunks: what a provider's stream adds up to, whatever its protocol."""

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from inkseal.core.errors import Cancelled
from inkseal.core.types import Chunk, FinishReason, ToolCall, Usage, new_id
from inkseal.formats.tool_calls import MAX_CALL_CHARS, read_call
from inkseal.studio.generate.remote.client import RemoteClient


@dataclass
class Call:
    """A tool call whose arguments come in pieces."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Tally:
    """What is known of one call so far; a protocol's mapping fills it.

    Attributes:
        finished: finish reasons by result.
        calls: tool calls by result and place.
        reported: what the provider says of the run, for the manifest.
    """

    client: RemoteClient
    finished: dict[int, FinishReason] = field(default_factory=dict)
    calls: dict[int, dict[int, Call]] = field(default_factory=dict)
    reported: dict[str, str | int | float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    over: bool = False

    def call(self, index: int, place: int) -> Call:
        """Returns the tool call at a place of a result."""
        return self.calls.setdefault(index, {}).setdefault(place, Call())

    def add_arguments(self, call: Call, piece: str) -> None:
        """Adds a piece of a call's arguments.

        Raises:
            EngineFailed: they are larger than any call.
        """
        call.arguments += piece
        if len(call.arguments) > MAX_CALL_CHARS:
            raise self.client.failed("a tool call is too large")

    def note(self, name: str, value: Any) -> None:
        """Keeps a short fact that the provider reports."""
        if isinstance(value, str) and value:
            self.reported[name] = self.client.clean(value)

    def tool_calls(self, index: int) -> tuple[ToolCall, ...]:
        """Returns the finished tool calls of a result.

        Raises:
            EngineFailed: arguments are no JSON object, or the name is none.
        """
        found = []
        for _, call in sorted(self.calls.get(index, {}).items()):
            read = read_call(_call_json(call))
            if read is None:
                raise self.client.failed("it called a tool with malformed arguments")
            found.append(read.model_copy(update={"id": call.id[:200] or f"call_{new_id()}"}))
        return tuple(found)


def _call_json(call: Call) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments or "{}"})


def deliver(
    pieces: Iterator[tuple[int, str]], tally: Tally, first_index: int, num_results: int
) -> Generator[Chunk, None, None]:
    """Yields the chunks of one call; counts come with the last ones, since providers tell them at the end.

    Args:
        pieces: (result, text) as they come; the mapping behind it fills `tally`.
        first_index: the number that this call's result 0 has in the request.

    Raises:
        EngineFailed: the stream ended before every result had.
    """
    try:
        for index, text in pieces:
            if text and 0 <= index < num_results:
                yield Chunk(index=first_index + index, text=text)
    except Cancelled:
        for index in range(num_results):
            yield Chunk(index=first_index + index, finish_reason="cancelled")
        tally.completion_tokens = 0
        tally.reported["usage"] = "not reported: ended early"
        return
    if not tally.over or set(tally.finished) < set(range(num_results)):
        raise tally.client.failed("the answer broke off before its end")
    if tally.completion_tokens is None:
        tally.reported["usage"] = "not reported"
    for index in range(num_results):
        calls = tally.tool_calls(index)
        last = index == num_results - 1
        yield Chunk(
            index=first_index + index,
            tool_calls=calls,
            num_tokens=(tally.completion_tokens or 0) if last else 0,
            finish_reason="tool_calls" if calls else tally.finished[index],
        )


class Account:
    """Adds up the calls of one request."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._first: float | None = None
        self._tallies: list[Tally] = []

    def run(
        self, pieces: Iterator[tuple[int, str]], tally: Tally, first_index: int, num_results: int
    ) -> Generator[Chunk, None, bool]:
        """Yields the chunks of one call and keeps its counts; returns False when it was cancelled."""
        self._tallies.append(tally)
        cancelled = False
        for chunk in deliver(pieces, tally, first_index, num_results):
            self._first = time.monotonic() - self._begun if self._first is None else self._first
            cancelled = cancelled or chunk.finish_reason == "cancelled"
            yield chunk
        return not cancelled

    def usage(self) -> Usage:
        """Returns the counts of all calls together; a prompt that was sent twice counts once."""
        cached = [tally.cached_tokens for tally in self._tallies if tally.cached_tokens is not None]
        reported: dict[str, str | int | float | bool] = {}
        for tally in self._tallies:
            reported |= tally.reported
        return Usage(
            prompt_tokens=max((tally.prompt_tokens for tally in self._tallies), default=0),
            cached_tokens=max(cached) if cached else None,
            completion_tokens=sum(tally.completion_tokens or 0 for tally in self._tallies),
            first_chunk_seconds=self._first,
            total_seconds=time.monotonic() - self._begun,
            reported=reported,
        )
