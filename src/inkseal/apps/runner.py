"""Runs an app from its form to its sealed result."""

import json
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inkseal.apps.answers import is_empty
from inkseal.apps.definition import AppFile
from inkseal.apps.events import (
    AppFailed,
    AppFinished,
    AppListener,
    AppResult,
    AppStarted,
    NextOffer,
    StepFacts,
    StepFinished,
    StepRecord,
    unheard,
)
from inkseal.apps.fields import filled_in
from inkseal.apps.steps import steps as step_kinds
from inkseal.apps.template import Bound, look_up, plain
from inkseal.apps.work import Options, Work, rule_verdicts
from inkseal.core.errors import AnswerRefused, InksealError
from inkseal.core.language import Language, current_language, say, use_language
from inkseal.core.protocols import Cancel
from inkseal.core.types import Message, Origin, Part
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.limits import Deadline
from inkseal.studio.provenance.manifest import RESULT, AppFacts

if TYPE_CHECKING:
    from inkseal.studio.studio import Studio


def run_app(
    studio: "Studio",
    file: AppFile,
    values: Mapping[str, Any],
    on_event: AppListener = unheard,
    cancel: Cancel | None = None,
    *,
    language: Language | None = None,
    options: Options | None = None,
    step_values: dict[str, Any] | None = None,
) -> AppResult:
    """Fills in the form, takes the steps, composes and seals the result.

    Args:
        studio: where everything is made and kept.
        file: the app.
        values: the form's fields.
        on_event: told of the app's events and of those of its runs.
        cancel: asked often whether to stop.
        language: of the prompts and of the result; the current one when absent.
        options: model, seed, longest time, labelling regime, owner.
        step_values: takes the value of every step, for those who look closer than at the result.

    Raises:
        InvalidRequest: the form is not filled in as it should be.
        AnswerRefused: no answer met what the app asks for.
        InksealError: as `Studio.run`.
    """
    chosen: Language = language or current_language()
    chosen_options = options or Options()
    seed = chosen_options.seed or random.SystemRandom().getrandbits(31) + 1
    with use_language(chosen):
        filled = filled_in(file.app.fields, values)
        work = Work(
            file=file,
            language=chosen,
            values=filled,
            studio=studio,
            options=chosen_options._replace(seed=seed),
            emit=on_event,
            cancel=Deadline(chosen_options.timeout_seconds, cancel),
        )
        work.scope = {field.name: field.bound(filled[field.name]) for field in file.app.fields}
        work.scope["language"] = Bound(say("English", "中文"), Origin.SYSTEM)
        try:
            result = _run(work)
            if step_values is not None:
                step_values |= {step.name: work.scope[step.name].value for step in file.app.steps}
            return result
        except InksealError as error:
            step = work.step.name if work.step else ""
            on_event(AppFailed(code=error.code, message=str(error), step=step))
            raise
        except Exception:  # whoever watches is told that it is over
            step = work.step.name if work.step else ""
            on_event(AppFailed(code="internal_error", message=say("Internal error.", "内部错误。"), step=step))
            raise


def _run(work: Work) -> AppResult:
    app = work.file.app
    steps = tuple(StepFacts(name=s.name, title=str(s.title or s.name), kind=s.kind) for s in app.steps)
    work.emit(AppStarted(app=app.name, title=str(app.title), sha256=work.file.sha256, steps=steps))
    for step in app.steps:
        work.step = step
        skipped = step.when is not None and is_empty(look_up(step.when, work.scope).value)
        if skipped:
            work.scope[step.name] = Bound(None, Origin.SYSTEM)
            work.records[step.name] = StepRecord(step=step.name, skipped=True)
        else:
            value = step_kinds[step.kind](step).run(work)
            origin = Origin.ASSISTANT if step.calls() else work.least_trusted()
            work.scope[step.name] = Bound(value, origin)
            work.records.setdefault(step.name, StepRecord(step=step.name))
        work.emit(StepFinished(step=step.name, skipped=skipped))
    work.step = None
    return _sealed(work)


def _sealed(work: Work) -> AppResult:
    app, options = work.file.app, work.options
    text = _document(work)
    parents = dict.fromkeys(made[-1] for made in work.made.values())
    asked = json.dumps(dict(work.values), ensure_ascii=False)
    request = TextRequest(
        messages=(Message(role="user", parts=(Part(text=asked),)),),
        model=options.model,
        seed=options.seed,
        regime=options.regime,
        parents=tuple(parents),
    )
    facts = AppFacts(name=app.name, sha256=work.file.sha256, step=RESULT)
    sealed = work.studio.compose(
        request, text, work.emit, owner=options.owner, app=facts, verdicts=tuple(rule_verdicts(work))
    )
    records = tuple(work.records[step.name] for step in app.steps)
    result = AppResult(
        app=app.name,
        sha256=work.file.sha256,
        language=work.language,
        text=sealed.text,
        data=None if app.output.data is None else look_up(app.output.data, work.scope).value,
        artifact=sealed.artifacts[0],
        steps=records,
        problems=tuple(problem for record in records for problem in record.problems),
        notice=str(app.notice or ""),
        label=work.studio.visible_label(request),
        verdicts=(*work.verdicts, *sealed.verdicts),
        usage=work.usage,
        seed=options.seed,
        next=tuple(
            NextOffer(
                app=following.app,
                title=str(following.title),
                values={name: _handed_over(path, work) for name, path in following.values.items()},
            )
            for following in app.next
        ),
    )
    work.emit(AppFinished(result=result))
    return result


def _handed_over(path: str, work: Work) -> Any:
    """Returns a field as it was filled in, which another form can take, or a place in a step's value."""
    return work.values[path] if path in work.values else look_up(path, work.scope).value


def _document(work: Work) -> str:
    output = work.file.app.output
    if output.template is not None:
        text = plain(output.template.of(work.language), work.scope).strip("\n")
    else:
        name = output.step or work.file.app.steps[-1].name
        value = work.scope[name].value
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    if not text.strip():
        raise AnswerRefused(say("The result is empty.", "结果为空。"))
    return text
