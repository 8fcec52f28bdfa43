"""One of the `n` results while it is being made: its chunks, and what has been let out of it."""

from collections.abc import Iterator

from inkseal.core.events import Event, Generated, Progress, Withdrawn
from inkseal.core.language import say
from inkseal.core.types import Chunk, FinishReason, ToolCall, Verdict
from inkseal.studio.guard.holdback import HoldBack


class Draft:
    """Collects chunks behind a hold-back window.

    Text leaves as soon as no check can still change it. Media leave only as a sealed artifact: no check can look at
    half a picture, so none of it is in an event.

    Attributes:
        chunks: what will be sealed: the text as it was let out, data and tool calls as they came.
        blocked: the verdict that withdrew this result, if one did.
    """

    def __init__(self, index: int, gate: HoldBack) -> None:
        self.index = index
        self.gate = gate
        self.chunks: list[Chunk] = []
        self.finish_reason: FinishReason = "cancelled"  # until the engine says otherwise
        self.blocked: Verdict | None = None
        self._num_held_tokens = 0

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def data(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(call for chunk in self.chunks for call in chunk.tool_calls)

    def take(self, chunk: Chunk) -> Iterator[Event]:
        """Takes a chunk from the engine; yields what may be shown of it."""
        if chunk.progress is not None:
            number = self.index + 1
            yield Progress(what=say(f"Picture {number}", f"第 {number} 张图片"), done=chunk.progress, total=1)
            if not chunk.data and not chunk.finish_reason:
                return
        text, verdict = self.gate.push(chunk.text)
        if chunk.finish_reason is not None and verdict is None:
            self.finish_reason = chunk.finish_reason
            rest, verdict = self.gate.finish()
            text += rest
        if verdict is not None:
            yield from self.withdraw(verdict)
            return
        self._num_held_tokens += chunk.num_tokens
        shown = chunk.model_copy(update={"text": text, "num_tokens": self._num_held_tokens})
        if text or chunk.data or chunk.tool_calls or chunk.finish_reason:
            self._num_held_tokens = 0
            self.chunks.append(shown)
            yield Generated(chunk=shown.model_copy(update={"data": b""}) if chunk.data else shown)

    def withdraw(self, verdict: Verdict) -> Iterator[Event]:
        """Takes the result back; what was already shown is counted, not hidden."""
        self.blocked, self.finish_reason = verdict, "blocked"
        yield Withdrawn(index=self.index, verdict=verdict, num_chars_shown=self.gate.num_chars_shown)
