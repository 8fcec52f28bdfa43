"""Lets streamed text out as soon as no check can still change it; what may yet become a hit waits."""

from collections.abc import Mapping, Sequence

from inkseal.core.protocols import Check
from inkseal.core.types import Finding, Part, Verdict

CONTEXT_CHARS = 256
"""How much of what is already out the checks see again, for word boundaries and what stands around a hit."""

STEP_CHARS = 8
"""New characters to wait for before the checks look again; each look scans the context and what is held back."""


class HoldBack:
    """The window of one streamed result.

    Each check says how much of the end is unfinished: it may become a hit, or belong to one that later words change.
    That much stays; everything before it has been judged for good and leaves.

    Args:
        checks: those of the result stage count.
        restore: placeholder → original, put back on the way out.
    """

    def __init__(self, checks: Sequence[Check], restore: Mapping[str, str]) -> None:
        self._checks = [check for check in checks if "result" in check.stages]
        self._restore = restore
        self._longest = max(map(len, restore), default=0)
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
        if len(self._raw) - self._seen < STEP_CHARS:
            return "", None
        return self._look(ended=False)

    def finish(self) -> tuple[str, Verdict | None]:
        """Returns the rest that may be shown at the end of the stream."""
        return self._look(ended=True)

    def _look(self, *, ended: bool) -> tuple[str, Verdict | None]:
        self._seen = len(self._raw)
        base = max(0, self._left - CONTEXT_CHARS)
        text = self._raw[base:]
        until = len(text) if ended else len(text) - self._open_placeholder(text)
        hits: list[Finding] = []
        for check in self._checks:
            judged = len(text) - (0 if ended else check.unfinished(text))
            until = min(until, judged)
            verdict = check.inspect((Part(text=text),), "result")
            for finding in verdict.findings:
                action = finding.action or verdict.action
                if action == "block" and finding.start < judged:
                    return "", verdict
                if action == "redact" and finding.replacement is not None:
                    hits.append(finding)
        return self._release(base, until, hits), None

    def _release(self, base: int, until: int, hits: Sequence[Finding]) -> str:
        for finding in hits:  # a hit across the border waits whole for the next look
            if finding.start < until < finding.end:
                until = finding.start
        out, at = [], self._left - base
        until = max(until, at)
        for finding in sorted(hits, key=lambda f: f.start):
            if at <= finding.start and finding.end <= until:
                out += [self._raw[base + at : base + finding.start], finding.replacement or ""]
                at = finding.end
        out.append(self._raw[base + at : base + until])
        self._left = base + until
        text = "".join(out)
        for placeholder, original in self._restore.items():
            text = text.replace(placeholder, original)
        self.num_chars_shown += len(text)
        return text

    def _open_placeholder(self, text: str) -> int:
        """Returns the length of the end of the text that a placeholder begins with."""
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            if any(placeholder.startswith(text[-length:]) for placeholder in self._restore):
                return length
        return 0
