"""Tries the checks on a text: what each says of it by itself, and what the story would make of it."""

import time
from collections.abc import Callable, Sequence

from inkseal.core.protocols import Check
from inkseal.core.types import Action, Closed, Part, Stage, Verdict
from inkseal.studio.guard.judge import stronger
from inkseal.studio.guard.policy import rule


class Trial(Closed):
    """What became of a text. Positions in `verdicts` are characters of the text as it was given.

    Attributes:
        action: the strongest of all.
        blocked_by: the check at which the story would stop; the later ones are shown, but would not be asked.
        text_after: as the model or the reader would get it; None when it is blocked.
    """

    verdicts: tuple[Verdict, ...]
    action: Action
    blocked_by: str = ""
    text_after: str | None = None


def trial(make_checks: Callable[[], Sequence[Check]], part: Part, stage: Stage) -> Trial:
    """Returns what the checks say of one part.

    Args:
        make_checks: makes them fresh: they remember what they replaced.
        part: the text and where it comes from.
        stage: whether it goes in or comes out.
    """
    by_itself: list[Verdict] = []
    action: Action = "allow"
    for check in make_checks():
        if stage in check.stages:
            begin = time.perf_counter()
            verdict = check.inspect((part,), stage)
            by_itself.append(verdict.model_copy(update={"seconds": round(time.perf_counter() - begin, 6)}))
            action = stronger(action, verdict.action)
    ruling = rule(make_checks(), (part,), stage)
    # A first look may load a model; the second tells how long the check itself takes.
    again = {verdict.check: verdict.seconds for verdict in ruling.verdicts}
    blocked_by = ruling.blocked.check if ruling.blocked else ""
    return Trial(
        verdicts=tuple(
            verdict.model_copy(update={"seconds": min(verdict.seconds, again.get(verdict.check, verdict.seconds))})
            for verdict in by_itself
        ),
        action=action,
        blocked_by=blocked_by,
        text_after=None if blocked_by else ruling.parts[0].text,
    )
