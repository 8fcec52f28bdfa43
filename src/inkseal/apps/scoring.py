"""Scores one run of an app on a case: rules and expectations that are met, and answers that met their schema."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inkseal.apps.answers import answer_of, applies
from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.definition import AppFile, Case
from inkseal.apps.events import AnswerJudged, AppEvent, AppResult
from inkseal.apps.fields import filled_in
from inkseal.apps.rules import rules
from inkseal.apps.runner import run_app
from inkseal.apps.template import Bound
from inkseal.apps.work import Options
from inkseal.core.errors import AnswerRefused, Blocked, Cancelled
from inkseal.core.language import Language, use_language
from inkseal.core.types import Closed

if TYPE_CHECKING:
    from inkseal.studio.studio import Studio


class CaseScore(Closed):
    """How one case went."""

    app: str
    sha256: str
    model: str
    language: Language
    case: int
    """From 1, in the app's file."""
    finished: bool
    score: float
    """Share of rules and expectations that are met; 0 for a run that ended with an error."""
    unmet: tuple[str, ...]
    num_answers: int
    num_valid: int
    seconds: float
    num_tokens: int


def score_case(
    studio: "Studio", file: AppFile, number: int, model: str, *, seed: int, timeout_seconds: float
) -> CaseScore:
    """Runs a case and scores it.

    Args:
        studio: where it runs; the results stay there.
        file: the app.
        number: which case, from 1.
        model: with which model.
        seed: the same seed gives the same run.
        timeout_seconds: a run that takes longer scores 0.
    """
    case = file.app.cases[number - 1]
    judged: list[AnswerJudged] = []

    def listen(event: AppEvent) -> None:
        if isinstance(event, AnswerJudged) and event.attempt == 1 and not event.mended:
            judged.append(event)

    options = Options(model=model, seed=seed, timeout_seconds=timeout_seconds)
    unmet: list[str] = []
    result, share, steps = None, 0.0, dict[str, Any]()
    try:
        result = run_app(studio, file, case.values, listen, language=case.language, options=options, step_values=steps)
        share, unmet = _marked(file, case, result, steps)
    except (AnswerRefused, Blocked, Cancelled) as error:
        unmet = [error.what]
    with_schema = [event.is_valid for event in judged if event.is_valid is not None]
    return CaseScore(
        app=file.app.name,
        sha256=file.sha256,
        model=model,
        language=case.language,
        case=number,
        finished=result is not None,
        score=round(share, 4),
        unmet=tuple(unmet),
        num_answers=len(with_schema),
        num_valid=sum(with_schema),
        seconds=round(result.usage.total_seconds, 2) if result else 0.0,
        num_tokens=result.usage.completion_tokens if result else 0,
    )


def _marked(file: AppFile, case: Case, result: AppResult, steps: Mapping[str, Any]) -> tuple[float, list[str]]:
    """Returns the share of what is met, and what is not."""
    filled = filled_in(file.app.fields, case.values)
    scope = {field.name: field.bound(filled[field.name]) for field in file.app.fields}
    scope["language"] = Bound(result.language)
    facts = Facts(scope, case.language)
    whole = Answer(result.text, result.data)
    unmet, num_met, total = list(result.problems), 0, 0
    for verdict in result.verdicts:
        if verdict.check.startswith("app."):
            total += 1
            num_met += verdict.action == "allow"
    with use_language(case.language):
        for config in case.expect:
            if not applies(config, facts):
                continue
            answer = answer_of(steps[config.step]) if config.step else whole if config.path else Answer(result.text)
            problems = rules[config.kind](config).problems(answer, facts)
            total, num_met = total + 1, num_met + (not problems)
            unmet += problems
    return num_met / max(1, total), unmet
