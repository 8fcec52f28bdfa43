"""Collects the events of a run, and says what our own field and headers say of it."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any

from inkseal.core.events import ArtifactReady, Checked, Event, Finished, Generated, Started, Withdrawn
from inkseal.core.types import Artifact, FinishReason, ToolCall, Usage, Verdict


class Outcome:
    """What is known of a run so far; by index of the result."""

    def __init__(self) -> None:
        self.run_id = ""
        self.texts: defaultdict[int, list[str]] = defaultdict(list)
        self.calls: defaultdict[int, list[ToolCall]] = defaultdict(list)
        self.reasons: dict[int, FinishReason] = {}
        self.stops: dict[int, str] = {}
        self.artifacts: dict[int, Artifact] = {}
        self.withdrawn: dict[int, Verdict] = {}
        self.verdicts: list[Verdict] = []
        self.usage = Usage()

    def take(self, event: Event) -> None:
        """Takes over what an event says."""
        if isinstance(event, Generated):
            chunk = event.chunk
            if chunk.text:
                self.texts[chunk.index].append(chunk.text)
            if chunk.tool_calls:
                self.calls[chunk.index].extend(chunk.tool_calls)
            if chunk.finish_reason is not None:
                self.reasons[chunk.index] = chunk.finish_reason
                self.stops[chunk.index] = chunk.stopped_by
        elif isinstance(event, Started):
            self.run_id = event.run_id
        elif isinstance(event, Checked):
            self.verdicts.append(event.verdict)
        elif isinstance(event, Withdrawn):
            self.withdrawn[event.index] = event.verdict
        elif isinstance(event, ArtifactReady):
            self.artifacts[event.index] = event.artifact
        elif isinstance(event, Finished):
            self.usage = event.usage

    def text(self, index: int = 0) -> str:
        """Returns a result's text; empty when it was withdrawn."""
        return "" if index in self.withdrawn else "".join(self.texts[index])

    def reason(self, index: int = 0) -> FinishReason:
        """Returns why a result ended."""
        return "blocked" if index in self.withdrawn else self.reasons.get(index, "cancelled")

    def field(self) -> dict[str, Any]:
        """Returns the `inkseal` field: artifacts, verdicts and energy, without any of the words."""
        energy = self.usage.energy
        return {
            "run": self.run_id,
            "artifacts": [
                {"index": index, "id": made.id, "sha256": made.sha256} for index, made in sorted(self.artifacts.items())
            ],
            "verdicts": [
                {
                    "check": verdict.check,
                    "version": verdict.version,
                    "stage": verdict.stage,
                    "action": verdict.action,
                    "categories": sorted({finding.category for finding in verdict.findings}),
                }
                for verdict in self.verdicts
            ],
            "withdrawn": sorted(self.withdrawn),
            "finish_reasons": {str(index): self.reason(index) for index in sorted(self.reasons)},
            "energy": None if energy is None else energy.model_dump(mode="json"),
        }

    def headers(self) -> dict[str, str]:
        """Returns the headers: at the start of a stream the first artifact's id and the verdicts on the prompt."""
        ids = [made.id for _, made in sorted(self.artifacts.items())] or [self.run_id]
        verdicts = dict.fromkeys(f"{v.stage}.{v.check}={v.action}" for v in self.verdicts)
        return {"inkseal-artifact": ",".join(ids), "inkseal-verdicts": ", ".join(verdicts)}


async def gather(events: AsyncGenerator[list[Event], None]) -> Outcome:
    """Returns the outcome of a run once it is over.

    Raises:
        InksealError: as the run.
    """
    outcome = Outcome()
    try:
        async for batch in events:
            for event in batch:
                outcome.take(event)
    finally:
        await events.aclose()
    return outcome
