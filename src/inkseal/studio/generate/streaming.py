"""From tokens to chunks: whole characters, exact stop strings, tool calls taken out of the text.

Knows nothing of any engine; a token stream goes in, chunks come out.
"""

from collections.abc import Sequence
from typing import Protocol

from inkseal.core.errors import InksealError
from inkseal.core.types import Chunk, FinishReason, ToolCall
from inkseal.formats.tool_calls import ToolCallParser
from inkseal.runtime.outbox import Outbox as Outbox


class StopMatcher:
    """Ends a text before the first stop string, and never lets a part of one out.

    The answer ends where, reading letter by letter, the first stop string is complete; of several complete at once the
    longest counts. How the text is cut into pieces makes no difference.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.matched: str | None = None

    def push(self, text: str) -> str:
        """Returns what may be shown now; the rest is held until it is known not to begin a stop string."""
        if self.matched is not None:
            return ""
        self._held += text
        hits = [(at + len(stop), at, stop) for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if hits:
            _, start, self.matched = min(hits)
            shown, self._held = self._held[:start], ""
            return shown
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def finish(self) -> str:
        """Returns the held text: the answer is over, so it begins no stop string."""
        shown, self._held = self._held, ""
        return shown


def _overlap(text: str, stop: str) -> int:
    """Returns the length of the longest end of `text` that is a proper beginning of `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class Decoder(Protocol):
    """Turns tokens into text, one after the other."""

    def push(self, token: int) -> str:
        """Returns the characters that are whole now."""

    def finish(self) -> str:
        """Returns what is left."""


class Sink(Protocol):
    """Where an engine's thread puts the tokens of one result."""

    def push(self, tokens: Sequence[int], finish_reason: FinishReason | None) -> bool:
        """Takes tokens as they come; True means: enough, stop this result."""

    def fail(self, error: InksealError) -> None:
        """Ends the result with an error."""


class Answer:
    """One result in the making: tokens in, chunks out to the outbox."""

    def __init__(
        self,
        index: int,
        decoder: Decoder,
        stops: Sequence[str],
        outbox: Outbox,
        tools: ToolCallParser | None = None,
    ) -> None:
        self.index = index
        self.num_tokens = 0
        self.finish_reason: FinishReason | None = None
        self._decoder = decoder
        self._stops = StopMatcher(stops)
        self._tools = tools
        self._outbox = outbox
        self._uncounted = 0

    def push(self, tokens: Sequence[int], finish_reason: FinishReason | None) -> bool:
        """Decodes, looks for stop strings and tool calls, and puts out what is certain.

        A result that is over takes no more; tokens the engine made after a stop string do not count.
        """
        if self.finish_reason is not None:
            return True
        text = ""
        for token in tokens:
            self.num_tokens += 1
            self._uncounted += 1
            text += self._stops.push(self._decoder.push(token))
            if self._stops.matched is not None:
                finish_reason = "stop"
                break
        if finish_reason is not None and self._stops.matched is None:
            text += self._stops.push(self._decoder.finish())
            text += self._stops.finish()
        self._emit(text, "stop" if self._stops.matched is not None else finish_reason)
        return self.finish_reason is not None

    def fail(self, error: InksealError) -> None:
        self._outbox.fail(error)

    def _emit(self, text: str, finish_reason: FinishReason | None) -> None:
        calls: tuple[ToolCall, ...] = ()
        if self._tools is not None:
            text, calls = self._tools.push(text)
            if finish_reason is not None:
                rest, late = self._tools.finish()
                text, calls = text + rest, calls + late
                if finish_reason == "stop" and self._tools.num_calls:
                    finish_reason = "tool_calls"
        self.finish_reason = finish_reason
        if text or calls or finish_reason is not None:
            self._outbox.put(
                Chunk(
                    index=self.index,
                    text=text,
                    num_tokens=self._uncounted,
                    tool_calls=calls,
                    finish_reason=finish_reason,
                    stopped_by=(self._stops.matched or "") if finish_reason == "stop" else "",
                )
            )
            self._uncounted = 0
