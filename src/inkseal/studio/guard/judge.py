"""Makes one verdict out of judged findings. Knows the order of actions, nothing of rules."""

from collections.abc import Iterable

from inkseal.core.types import Action, Finding, Stage, Verdict

_ORDER: tuple[Action, ...] = ("allow", "flag", "redact", "block")
MOST_FINDINGS = 200
"""A verdict is recorded; beyond this many, hits that change nothing are left out."""


def stronger(first: Action, second: Action) -> Action:
    """Returns the stronger of two actions."""
    return max(first, second, key=_ORDER.index)


def at_most(action: Action, limit: Action) -> Action:
    """Returns the action, weakened to the limit."""
    return min(action, limit, key=_ORDER.index)


def verdict_of(check: str, version: str, stage: Stage, judged: Iterable[tuple[Finding, Action]]) -> Verdict:
    """Returns the verdict whose action is the strongest of all; findings without a replacement are capped in number."""
    pairs = sorted(judged, key=lambda pair: (pair[0].part, pair[0].start, pair[0].end))
    action: Action = "allow"
    for _, each in pairs:
        action = stronger(action, each)
    room = MOST_FINDINGS
    kept: set[int] = set()
    for index in sorted(range(len(pairs)), key=lambda i: -_ORDER.index(pairs[i][1])):
        if pairs[index][0].replacement is not None or room > 0:
            kept.add(index)
            room -= 1
    findings = tuple(
        finding.model_copy(update={"action": each})
        for index, (finding, each) in enumerate(pairs)
        if index in kept and each != "allow"
    )
    return Verdict(check=check, version=version, stage=stage, action=action, findings=findings)
