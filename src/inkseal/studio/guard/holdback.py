"""Lets streamed text out only when no check can still hit it: the end of the text waits in a window."""

from collections.abc import Mapping, Sequence

from inkseal.core.protocols import Check
from inkseal.core.types import Finding, Part, Verdict

STEP_CHARS = 48
"""New characters to wait for before the checks look again; each look costs a scan of window + step."""


class HoldBack:
    """The window of one streamed result.

    Every hit of a check is at most `hold_back_chars` long. A character leaves when that many characters behind it have
    been inspected too, so every hit that touches it is known. What already left stays as context, for word boundaries.

    Args:
        checks: those of the result stage.
        restore: placeholder → original, put back on the way out.
    """

    def __init__(self, checks: Sequence[Check], restore: Mapping[str, str]) -> None:
        self._checks = [check for check in checks if "result" in check.stages]
        self._restore = restore
        longest = [check.hold_back_chars for check in self._checks] + [len(placeholder) for placeholder in restore]
        self.window = max(longest, default=0)
        self._raw = ""
        self._left = 0  # characters of raw that are out
        self._seen = 0  # characters of raw that were inspected
        self.num_chars_shown = 0

    @property
    def raw(self) -> str:
        """All text so far as the engine gave it."""
        return self._raw

    def push(self, text: str) -> tuple[str, Verdict | None]:
        """Takes new text; returns what may be shown now and a blocking verdict, if there is one."""
        self._raw += text
        if not self.window:
            return self._release(len(self._raw), ())
        if len(self._raw) - self._seen < STEP_CHARS:
            return "", None
        return self._advance(len(self._raw) - self.window)

    def finish(self) -> tuple[str, Verdict | None]:
        """Returns the rest that may be shown at the end of the stream."""
        return self._advance(len(self._raw))

    def _advance(self, until: int) -> tuple[str, Verdict | None]:
        self._seen = len(self._raw)
        base = max(0, self._left - self.window)
        part = Part(text=self._raw[base:])
        hits: list[Finding] = []
        for check in self._checks:
            verdict = check.inspect((part,), "result")
            if verdict.action == "block":
                return "", verdict
            if verdict.action == "redact":
                hits += [f for f in verdict.findings if f.replacement is not None]
        moved = [f.model_copy(update={"start": f.start + base, "end": f.end + base}) for f in hits]
        return self._release(until, moved)

    def _release(self, until: int, hits: Sequence[Finding]) -> tuple[str, Verdict | None]:
        # A hit or a placeholder that crosses the border waits whole for the next look.
        for finding in hits:
            if finding.start < until < finding.end:
                until = finding.start
        until = self._before_open_placeholder(max(until, self._left))
        out, at = [], self._left
        for finding in sorted(hits, key=lambda f: f.start):
            if at <= finding.start and finding.end <= until:
                out += [self._raw[at : finding.start], finding.replacement or ""]
                at = finding.end
        out.append(self._raw[at:until])
        self._left = max(self._left, until)
        text = "".join(out)
        for placeholder, original in self._restore.items():
            text = text.replace(placeholder, original)
        self.num_chars_shown += len(text)
        return text, None

    def _before_open_placeholder(self, until: int) -> int:
        for placeholder in self._restore:
            at = self._raw.find(placeholder, max(self._left, until - len(placeholder) + 1))
            if 0 <= at < until < at + len(placeholder):
                until = at
        return until
