"""Runs the checks in order over a prompt or a result, and applies what they ask for."""

import dataclasses
import time
from collections.abc import Iterable, Sequence

from inkseal.core.protocols import Check
from inkseal.core.types import Finding, Part, Stage, Verdict


@dataclasses.dataclass(frozen=True)
class Ruling:
    """What all checks together say: the verdicts, the parts after redaction, and how to undo it.

    Attributes:
        restore: placeholder → what stood there; lives in memory only and goes into no record.
    """

    verdicts: tuple[Verdict, ...]
    parts: tuple[Part, ...]
    restore: dict[str, str]

    @property
    def blocked(self) -> Verdict | None:
        return next((v for v in self.verdicts if v.action == "block"), None)


def rule(checks: Iterable[Check], parts: Sequence[Part], stage: Stage) -> Ruling:
    """Inspects the parts with every check of the stage; each sees what those before it left."""
    verdicts: list[Verdict] = []
    restore: dict[str, str] = {}
    left = tuple(parts)
    for check in checks:
        if stage not in check.stages:
            continue
        begin = time.perf_counter()
        verdict = check.inspect(left, stage)
        verdicts.append(verdict.model_copy(update={"seconds": round(time.perf_counter() - begin, 6)}))
        if verdict.action == "block":
            break
        if verdict.action == "redact":
            left = redact(left, verdict.findings, restore)
    return Ruling(tuple(verdicts), left, restore)


def redact(parts: Sequence[Part], findings: Iterable[Finding], restore: dict[str, str]) -> tuple[Part, ...]:
    """Returns the parts with each finding's span replaced; remembers in `restore` what stood there."""
    changed = list(parts)
    # From the back, so that positions before a replacement stay true.
    for finding in sorted(findings, key=lambda f: (f.part, f.start), reverse=True):
        if finding.replacement is None:
            continue
        part = changed[finding.part]
        restore[finding.replacement] = part.text[finding.start : finding.end]
        text = part.text[: finding.start] + finding.replacement + part.text[finding.end :]
        changed[finding.part] = part.model_copy(update={"text": text})
    return tuple(changed)
