"""One app at work: what is known so far, and the one way in which its steps ask a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.apps.answers import answer_of, applies, message_of, read, together, with_schema
from inkseal.apps.contracts import Answer, Facts, Prompts, Rule, RuleConfig, StepConfig
from inkseal.apps.definition import AppFile
from inkseal.apps.events import AnswerJudged, AppListener, StepRecord, StepStarted
from inkseal.apps.rules import rules as rule_kinds
from inkseal.apps.template import Bound, filled, names, plain, render
from inkseal.core.errors import AnswerRefused, Cancelled, Unsupported
from inkseal.core.events import Noted
from inkseal.core.language import Language, say
from inkseal.core.types import Finding, Message, Origin, Part, Regime, Usage, Verdict
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest
from inkseal.studio.generate.long_counts import MOST_KEPT, loosened
from inkseal.studio.limits import Deadline
from inkseal.studio.provenance.manifest import AppFacts

if TYPE_CHECKING:
    from inkseal.studio.story import Result
    from inkseal.studio.studio import Studio

MAX_TOLD_CHARS = 24_000
"""Of an answer that did not fit, shown to the model again."""
TORN_CHARS = 16
"""By so many last characters an answer is known to end where it was cut off."""
_KEPT = {**MOST_KEPT, "minLength": 4, "maxLength": 0}
"""Counts that the engine holds: longer strings take it over a second to prepare, and are checked afterwards."""


class Options(NamedTuple):
    """How somebody wants an app to be run."""

    model: str = "default"
    seed: int = 0
    timeout_seconds: float = 900.0
    regime: Regime | None = None
    owner: str = ""


class Question(NamedTuple):
    """What a step asks a model."""

    prompt: Prompts
    system: Prompts | None = None
    json_schema: Mapping[str, Any] | None = None
    regex: Prompts | None = None
    own: Mapping[str, Bound] = {}
    """Names that the step puts in besides fields and earlier steps."""
    ruled: bool = True
    """Whether the rules for this step are for this answer."""
    max_tokens: int | None = None
    temperature: float | None = None
    attempts: int | None = None
    phase: str = ""
    item: int | None = None
    num_items: int | None = None


class _Try(NamedTuple):
    answer: Answer
    problems: list[tuple[RuleConfig | None, str]]
    artifact: str
    mended: bool


@dataclass
class Work:
    """The state of one run of an app; steps read it and ask through it."""

    file: AppFile
    language: Language
    values: Mapping[str, Any]
    studio: "Studio"
    options: Options
    emit: AppListener
    cancel: Deadline
    scope: dict[str, Bound] = field(default_factory=dict)
    made: dict[str, list[str]] = field(default_factory=dict)
    """Artifacts by step, in order."""
    records: dict[str, StepRecord] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    usage: Usage = Usage()
    step: StepConfig | None = None
    num_calls: int = 0
    constrain: bool = True

    @property
    def facts(self) -> Facts:
        """What rules may know."""
        return Facts(self.scope, self.language)

    @property
    def title(self) -> str:
        """What people call the step at work."""
        assert self.step is not None
        return str(self.step.title or self.step.name)

    def ask(self, question: Question) -> Answer:
        """Returns a model's answer that fits: asked again with what was off, mended, or refused.

        Raises:
            AnswerRefused: no answer met what must be met.
            InksealError: as `Studio.run`.
        """
        assert self.step is not None
        app = self.file.app
        rules = [self._rule(config) for config in app.rules_of(self.step)] if question.ruled else []
        attempts = question.attempts or app.attempts_of(self.step)
        base, tries = self._messages(question), []
        messages = base
        for attempt in range(1, attempts + 1):
            self.emit(self._started(question, attempt))
            result = self._run(question, messages, attempt)
            tries.append(self._judged(question, rules, result))
            told = tuple(text for _, text in tries[-1].problems)
            valid = None if question.json_schema is None else tries[-1].answer.data is not None
            self.emit(AnswerJudged(step=self.step.name, attempt=attempt, problems=told, is_valid=valid))
            if not told:
                break
            messages = self._again(base, tries)
        return self._kept(question, rules, tries)

    def _started(self, question: Question, attempt: int) -> StepStarted:
        assert self.step is not None
        return StepStarted(
            step=self.step.name,
            title=self.title,
            attempt=attempt,
            item=question.item,
            num_items=question.num_items,
            phase=question.phase,
        )

    def _rule(self, config: RuleConfig) -> Rule:
        return rule_kinds[config.kind](config)

    def _messages(self, question: Question) -> list[Message]:
        scope = {**self.scope, **question.own}
        own = Origin.USER if self.file.own else Origin.SYSTEM
        turns = []
        if question.system is not None:
            turns.append(message_of("system", render(question.system.of(self.language), scope, own)))
        turns.append(message_of("user", render(question.prompt.of(self.language), scope, own)))
        return turns

    def _run(self, question: Question, messages: Sequence[Message], attempt: int) -> "Result":
        if self.cancel.is_set():
            raise _ended(self.cancel)
        self.num_calls += 1
        constraint = self._constraint(question)
        try:
            result = self._asked(question, messages, attempt, constraint if self.constrain else None)
        except Unsupported as error:
            if constraint is None or not self.constrain:
                raise
            self.constrain = False  # this engine does not keep the form: it is told, and its answer is read
            self.emit(Noted(text=str(error)))
            result = self._asked(question, messages, attempt, None)
        self.verdicts += [verdict for verdict in result.verdicts if verdict.stage == "result"]
        self.usage = together(self.usage, result.usage)
        assert self.step is not None
        self.made.setdefault(self.step.name, []).append(result.artifacts[0].id)
        if result.finish_reasons[0] == "cancelled":
            raise _ended(self.cancel)
        return result

    def _constraint(self, question: Question) -> Constraint | None:
        if question.json_schema is not None:
            return Constraint(json_schema=loosened(filled(question.json_schema, self.scope), _KEPT)[0])
        pattern = plain(question.regex.of(self.language), self.scope).strip(" ") if question.regex is not None else ""
        return Constraint(regex=pattern) if pattern else None

    def _asked(
        self, question: Question, messages: Sequence[Message], attempt: int, constraint: Constraint | None
    ) -> "Result":
        assert self.step is not None
        writing = self.file.app.writing
        if question.json_schema is not None and constraint is None:
            messages = [*messages[:-1], with_schema(messages[-1], filled(question.json_schema, self.scope))]
        temperature = writing.temperature if question.temperature is None else question.temperature
        request = TextRequest(
            messages=tuple(messages),
            model=self.options.model,
            seed=(self.options.seed + 7919 * (self.num_calls - 1)) % 2**32,
            timeout_seconds=max(0.001, self.cancel.seconds_left),
            regime=self.options.regime,
            parents=tuple(self._parents(question)),
            max_tokens=question.max_tokens or writing.max_tokens,
            sampling=Sampling(
                # A cool model gives the answer again that did not fit.
                temperature=temperature if attempt == 1 else max(temperature, min(1.0, 0.4 + 0.15 * attempt)),
                top_p=writing.top_p,
                # The marks of a form recur by right; only an answer that failed is asked for with less of what it had.
                repetition_penalty=1.0 if constraint is not None and attempt == 1 else writing.repetition_penalty,
            ),
            constraint=constraint,
        )
        facts = AppFacts(name=self.file.app.name, sha256=self.file.sha256, step=self.step.name)
        return self.studio.run(request, self.emit, self.cancel, owner=self.options.owner, app=facts)

    def _parents(self, question: Question) -> list[str]:
        """Returns the artifacts that the prompt is made of: what earlier steps kept, and this step's last attempt."""
        asked = names(question.prompt.of(self.language))
        if question.system is not None:
            asked |= names(question.system.of(self.language))
        assert self.step is not None
        found = [made[-1] for step, made in self.made.items() if step in asked and step != self.step.name and made]
        return [*found, *self.made.get(self.step.name, [])[-1:]]

    def _judged(self, question: Question, rules: Sequence[Rule], result: "Result") -> _Try:
        schema = None if question.json_schema is None else filled(question.json_schema, self.scope)
        answer, why = read(result.text, schema)
        artifact = result.artifacts[0].id
        if result.finish_reasons[0] == "length" and question.ruled:
            cut = say("It was cut off: it is too long.", "内容过长，被截断。")
            return _Try(answer, [(None, cut), *([] if why else self._unmet(rules, answer))], artifact, False)
        if why:
            return _Try(answer, [(None, why)], artifact, False)
        answer, mended = self._mended([rule for rule in rules if _config(rule).keeps_words], answer)
        return _Try(answer, self._unmet(rules, answer), artifact, mended)

    def _unmet(self, rules: Sequence[Rule], answer: Answer) -> list[tuple[RuleConfig | None, str]]:
        return [
            (_config(rule), text)
            for rule in rules
            if self._asked_for(rule)
            for text in rule.problems(answer, self.facts)
        ]

    def _asked_for(self, rule: Rule) -> bool:
        return applies(_config(rule), self.facts)

    def _again(self, base: Sequence[Message], tries: Sequence[_Try]) -> list[Message]:
        """Returns what is asked after an answer that did not fit.

        In turns: anew, with what to mind, and as a correction of the last answer. A small model that sees its answer
        tends to give it again, so that one that did is not shown it any more.
        """
        last = tries[-1]
        # Problems quote fields and answers, so they are trusted no more than what they quote.
        said = Part(text="\n".join(f"- {text}" for _, text in last.problems[:8]), origin=self.least_trusted())
        repeated = any(earlier.answer.text == last.answer.text for earlier in tries[:-1])
        if len(tries) % 2 == 1 or repeated:
            mind = say("\n\nMind, since an earlier answer failed:\n", "\n\n务必注意（之前的回答没有做到）：\n")
            parts = (*base[-1].parts, Part(text=mind, origin=Origin.SYSTEM), said)
            return [*base[:-1], base[-1].model_copy(update={"parts": parts})]
        before = say("This does not fit yet:\n", "以上内容还不符合要求：\n")
        after = say(
            "\nWrite it again, whole, with these points put right. No remark.",
            "\n请改正这些问题，重新完整地写一遍。不要道歉，不要附加说明。",
        )
        asked = (Part(text=before, origin=Origin.SYSTEM), said, Part(text=after, origin=Origin.SYSTEM))
        answer = last.answer.text[:MAX_TOLD_CHARS]
        return [
            *base,
            Message(role="assistant", parts=(Part(text=answer, origin=Origin.ASSISTANT),)),
            Message(role="user", parts=asked),
        ]

    def least_trusted(self) -> Origin:
        """Returns the origin of what is made of fields and steps: of a document, if one is among them."""
        documents = any(bound.origin is Origin.DOCUMENT for bound in self.scope.values())
        return Origin.DOCUMENT if documents else Origin.USER

    def _kept(self, question: Question, rules: Sequence[Rule], tries: Sequence[_Try]) -> Answer:
        assert self.step is not None
        best = min(tries, key=lambda t: (sum(c is None or c.must for c, _ in t.problems), len(t.problems)))
        answer, problems, mended = best.answer, best.problems, best.mended
        readable = question.json_schema is None or answer.data is not None
        if problems and readable:
            whole = answer.text.rstrip()
            answer, changed = self._mended(rules, answer)
            # A mending that took the torn end off leaves no cut behind.
            ends_alike = answer.text.rstrip()[-TORN_CHARS:] == whole[-TORN_CHARS:]
            cut = [one for one in problems if one[0] is None] if ends_alike else []
            problems, mended = [*cut, *self._unmet(rules, answer)], mended or changed
        if mended:
            told = tuple(text for _, text in problems)
            self.emit(AnswerJudged(step=self.step.name, attempt=len(tries), problems=told, mended=True))
        self._note(question, tries, best, problems, mended)
        refused = [text for config, text in problems if config is None or config.must]
        if refused:
            raise AnswerRefused(
                say(
                    f"{self.title}: no answer fits after {len(tries)} attempts. " + " ".join(refused[:4]),
                    f"{self.title}：尝试 {len(tries)} 次后仍无符合要求的结果。" + "".join(refused[:4]),
                ),
                fix=say("Ask for less, try again, or choose a larger model.", "请放宽要求、重试，或选用更大的模型。"),
            )
        return answer

    def fits(self, text: str) -> bool:
        """Returns whether a text meets everything that this step's answers must meet."""
        rules = [self._rule(config) for config in self.file.app.rules_of(self.step)] if self.step else []
        return not any(config is None or config.must for config, _ in self._unmet(rules, Answer(text)))

    def keep(self, artifact: str) -> None:
        """Notes that this step's value is an answer that was there before its last attempts."""
        assert self.step is not None
        made = [*(one for one in self.made.get(self.step.name, []) if one != artifact), artifact]
        self.made[self.step.name] = made
        known = self.records[self.step.name]
        self.records[self.step.name] = known.model_copy(update={"artifacts": tuple(made), "problems": ()})

    def _mended(self, rules: Sequence[Rule], answer: Answer) -> tuple[Answer, bool]:
        before = answer
        for rule in rules:
            if self._asked_for(rule) and rule.problems(answer, self.facts):
                answer = rule.mend(answer, self.facts)
        return answer, answer != before

    def _note(
        self,
        question: Question,
        tries: Sequence[_Try],
        best: _Try,
        problems: Sequence[tuple[RuleConfig | None, str]],
        mended: bool,
    ) -> None:
        """Keeps what became of the question; a step that asks several has them together."""
        assert self.step is not None
        name = self.step.name
        made = self.made[name]
        made.append(made.pop(made.index(best.artifact)))  # what follows is made from the answer that was kept
        known = self.records.get(name, StepRecord(step=name))
        texts = tuple(text for _, text in problems) if question.ruled else ()
        self.records[name] = known.model_copy(
            update={
                "artifacts": tuple(made),
                "attempts": known.attempts + len(tries),
                "problems": (*(known.problems if question.phase == "" else ()), *texts),
                "mended": known.mended or mended,
            }
        )


def rule_verdicts(work: Work) -> list[Verdict]:
    """Returns how every rule stands with what its step made, in the words of a manifest."""
    found = []
    for step in work.file.app.steps:
        if step.name not in work.scope or work.records.get(step.name, StepRecord(step="")).skipped:
            continue
        answers = [answer_of(part) for part in step.parts_of(work.scope[step.name].value)]
        for config in work.file.app.rules_of(step):
            if not applies(config, work.facts):
                continue
            rule = rule_kinds[config.kind](config)
            unmet = [text for answer in answers for text in rule.problems(answer, work.facts)]
            hits = tuple(Finding(rule=f"app.{config.kind}", category="form") for _ in unmet[:16])
            action = "flag" if unmet else "allow"
            found.append(Verdict(check=f"app.{config.kind}", version="1", stage="result", action=action, findings=hits))
    return found


def _config(rule: Rule) -> RuleConfig:
    found: RuleConfig = rule._config  # type: ignore[attr-defined]
    return found


def _ended(cancel: Deadline) -> Cancelled:
    if cancel.timed_out:
        return Cancelled(say("The app's time is over.", "应用运行超时。"))
    return Cancelled(say("The app was cancelled.", "应用已取消。"))
