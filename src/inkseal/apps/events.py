"""What an app tells its listener besides the events of its runs, which come between these."""

from collections.abc import Callable
from typing import Any, Literal

from inkseal.core.events import Event
from inkseal.core.types import Artifact, ArtifactId, Closed, Usage, Verdict


class StepFacts(Closed):
    """A step, as people are told of it."""

    name: str
    title: str
    kind: str


class AppStarted(Closed):
    """An app began."""

    kind: Literal["app_started"] = "app_started"
    app: str
    title: str
    sha256: str
    steps: tuple[StepFacts, ...]


class StepStarted(Closed):
    """A step began, or asks its model again; the text of the run that follows is its answer."""

    kind: Literal["step_started"] = "step_started"
    step: str
    title: str
    attempt: int = 1
    item: int | None = None
    num_items: int | None = None
    phase: str = ""
    """Within the step: `critique`, `refine`; empty for most."""


class StepWords(Closed):
    """The words of an answer as far as they have come, instead of their pieces: for who looks at a run later."""

    kind: Literal["step_words"] = "step_words"
    text: str


class AnswerJudged(Closed):
    """What an answer lacks; nothing when it fits."""

    kind: Literal["answer_judged"] = "answer_judged"
    step: str
    attempt: int
    problems: tuple[str, ...]
    is_valid: bool | None = None
    """Whether the answer meets its schema; None without one."""
    mended: bool = False
    """Code took out or put right what was off, without adding a word."""


class StepFinished(Closed):
    """A step has its value."""

    kind: Literal["step_finished"] = "step_finished"
    step: str
    skipped: bool = False


class StepRecord(Closed):
    """What became of one step."""

    step: str
    artifacts: tuple[ArtifactId, ...] = ()
    """Of every answer, the kept one last."""
    attempts: int = 0
    problems: tuple[str, ...] = ()
    """What is not met in the answer that was kept."""
    mended: bool = False
    skipped: bool = False


class NextOffer(Closed):
    """An app that can go on with the result, and what its form would hold."""

    app: str
    title: str
    values: dict[str, Any]


class AppResult(Closed):
    """What an app made."""

    app: str
    sha256: str
    language: str
    text: str
    data: Any = None
    artifact: Artifact
    """Sealed; its parents are the answers of the steps."""
    steps: tuple[StepRecord, ...]
    problems: tuple[str, ...] = ()
    """What was asked for and is not met, although it was not refused."""
    notice: str = ""
    label: str = ""
    verdicts: tuple[Verdict, ...] = ()
    usage: Usage = Usage()
    """Of all steps together."""
    seed: int = 0
    next: tuple[NextOffer, ...] = ()


class AppFinished(Closed):
    """The app ended as it should."""

    kind: Literal["app_finished"] = "app_finished"
    result: AppResult


class AppFailed(Closed):
    """The app ended with an error; `code` is the error's stable name."""

    kind: Literal["app_failed"] = "app_failed"
    code: str
    message: str
    step: str = ""


AppEvent = Event | AppStarted | StepStarted | AnswerJudged | StepFinished | AppFinished | AppFailed
KeptEvent = AppEvent | StepWords
"""What who looks at a run later is told."""
AppListener = Callable[[AppEvent], None]


def unheard(event: AppEvent) -> None:
    """A listener for callers who do not care."""
