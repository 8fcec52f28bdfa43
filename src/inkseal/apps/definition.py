"""An app as its file says it: closed, bounded, and proved before anything runs."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, field_validator, model_validator

from inkseal.apps.contracts import Name, PathName, Prompt, RuleConfig, Spoken, StepConfig
from inkseal.apps.fields import Field as FormField
from inkseal.apps.fields import filled_in
from inkseal.apps.rules import rules as rule_kinds
from inkseal.apps.steps import steps as step_kinds
from inkseal.apps.template import names
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say
from inkseal.core.types import Closed

MAX_FILE_BYTES = 131_072
MAX_CALLS = 80
"""Most often an app may ask a model in one run, repairs included."""
Category = Literal["writing", "marketing", "business", "education", "science", "code", "media", "service", "daily"]


def _of_kind(value: Any, kinds: Mapping[str, Any]) -> Any:
    if not isinstance(value, Mapping):
        return value
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"there is no kind {str(kind)[:40]!r}; kinds are: {', '.join(kinds)}")
    return kinds[kind].config.model_validate(value)


def _step(value: Any) -> Any:
    return _of_kind(value, step_kinds)


def _rule(value: Any) -> Any:
    return _of_kind(value, rule_kinds)


AnyStep = Annotated[SerializeAsAny[StepConfig], BeforeValidator(_step)]
AnyRule = Annotated[SerializeAsAny[RuleConfig], BeforeValidator(_rule)]


class Writing(Closed):
    """How the model is asked, unless a step says otherwise."""

    max_tokens: int = Field(1024, ge=1, le=8192)
    temperature: float = Field(0.7, ge=0, le=2)
    top_p: float = Field(0.9, gt=0, le=1)
    repetition_penalty: float = Field(1.05, gt=0, le=2)
    attempts: int = Field(3, ge=1, le=5, description="How often an answer that does not fit is asked for.")


class Output(Closed):
    """What the app hands over."""

    form: Literal["markdown", "text", "code"] = "markdown"
    step: Name | None = Field(None, description="Whose value it is; the last step's when absent.")
    template: Prompt | None = Field(None, description="The document, of fields and steps; the step's text when absent.")
    data: PathName | None = Field(None, description="A JSON value to hand over beside the document.")


class Next(Closed):
    """Another app that goes on with this one's result."""

    app: Name
    title: Spoken
    values: dict[Name, PathName] = Field(description="Field of that app → field or step of this one.")


class Sample(Closed):
    """A form filled in, to begin with."""

    language: Language
    title: str = Field("", max_length=80)
    values: dict[str, Any]


class Case(Closed):
    """A form filled in, and what can be told of a good result; for scoring."""

    language: Language
    values: dict[str, Any]
    expect: tuple[AnyRule, ...] = Field(min_length=1, max_length=12)


class App(Closed):
    """One application."""

    format: Literal[1]
    name: Name
    category: Category
    title: Spoken
    description: Spoken
    help: Spoken | None = None
    notice: Spoken | None = Field(None, description="Shown with every result: what it must not be taken for.")
    author: str = Field("", max_length=120)
    licence: str = Field("", max_length=120)
    writing: Writing = Writing()
    fields: tuple[FormField, ...] = Field(min_length=1, max_length=24)
    steps: tuple[AnyStep, ...] = Field(min_length=1, max_length=12)
    rules: tuple[AnyRule, ...] = Field((), max_length=24)
    output: Output = Output()
    next: tuple[Next, ...] = Field((), max_length=4)
    samples: tuple[Sample, ...] = Field((), max_length=12)
    cases: tuple[Case, ...] = Field((), max_length=80)

    @field_validator("fields")
    @classmethod
    def _no_two_fields(cls, value: tuple[FormField, ...]) -> tuple[FormField, ...]:
        if len({field.name for field in value}) != len(value):
            raise ValueError("two fields have the same name")
        return value

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        known = {field.name for field in self.fields} | {"language"}
        for step in self.steps:
            if step.name in known:
                raise ValueError(f"the name {step.name!r} is taken twice")
            for prompt, own in step.prompts():
                for template in prompt:
                    _all_known(names(template), known | own, f"step {step.name!r}")
            _all_known({path.split(".")[0] for path in step.asks_for()}, known, f"step {step.name!r}")
            if step.refines() is not None and not any(
                before.name == step.refines() and before.writes_text() and before.when is None for before in self.steps
            ):
                raise ValueError(f"step {step.name!r}: 'of' must be a step that always writes one text")
            known.add(step.name)
        self._rules_know(known)
        for template in self.output.template or ():
            _all_known(names(template), known, "output.template")
        if self.output.data is not None:
            _all_known({self.output.data.split(".")[0]}, known, "output.data")
        if self.output.step is not None:
            _all_known({self.output.step}, {step.name for step in self.steps}, "output.step")
        for following in self.next:
            _all_known({path.split(".")[0] for path in following.values.values()}, known, "next.values")
        if (calls := sum(step.calls() * self.attempts_of(step) for step in self.steps)) > MAX_CALLS:
            raise ValueError(f"it could ask a model {calls} times; at most {MAX_CALLS}")
        return self

    @model_validator(mode="after")
    def _examples_fit(self) -> Self:
        examples: dict[str, Sequence[Sample | Case]] = {"sample": self.samples, "case": self.cases}
        for kind, found in examples.items():
            for number, example in enumerate(found, 1):
                try:
                    filled_in(self.fields, example.values)
                except InvalidRequest as error:
                    raise ValueError(f"{kind} {number}: {error}") from None
        return self

    def _rules_know(self, known: set[str]) -> None:
        writers = {step.name for step in self.steps if step.makes_text()}
        fields = {field.name for field in self.fields} | {"language"}
        for place, rule in self._all_rules():
            here = fields if place.startswith("case") else known
            for template in rule.templates():
                _all_known(names(template), here, place)
            _all_known({path.split(".")[0] for path in rule.asks_for()}, here, place)
            if rule.step is not None:
                _all_known({rule.step}, writers, f"{place}.step")
            elif self.writer is None and not place.startswith("case"):
                raise ValueError(f"{place}: no step writes what it is for; give it a 'step'")

    def _all_rules(self) -> Iterator[tuple[str, RuleConfig]]:
        for rule in self.rules:
            yield f"rule {rule.kind!r}", rule
        for number, case in enumerate(self.cases, 1):
            for rule in case.expect:
                yield f"case {number}", rule

    @property
    def writer(self) -> StepConfig | None:
        """The last step in which a model writes what is handed over; rules without a step are for it."""
        upto = next((i for i, s in enumerate(self.steps) if s.name == self.output.step), len(self.steps) - 1)
        return next((step for step in reversed(self.steps[: upto + 1]) if step.makes_text()), None)

    def attempts_of(self, step: StepConfig) -> int:
        """Returns how often an answer of the step is asked for at most."""
        return getattr(step, "attempts", None) or self.writing.attempts

    def rules_of(self, step: StepConfig) -> tuple[RuleConfig, ...]:
        """Returns the rules for what a step's model writes."""
        default = self.writer.name if self.writer else None
        return tuple(rule for rule in self.rules if (rule.step or default) == step.name)


def _all_known(asked: set[str], known: set[str], place: str) -> None:
    unknown = sorted(asked - known - {".", "@n"})
    if unknown:
        raise ValueError(f"{place}: {unknown[0]!r} is no field and no earlier step; known: {', '.join(sorted(known))}")


class AppFile(Closed):
    """An app and the bytes it was read from."""

    app: App
    sha256: str
    toml: str
    own: bool = False
    """Somebody's own, as opposed to one that is part of the program."""


def read_app(data: bytes, *, own: bool) -> AppFile:
    """Reads an app's file.

    Raises:
        InvalidRequest: it is too large, no TOML, or says something that cannot be; names the place.
    """
    if len(data) > MAX_FILE_BYTES:
        raise _refused(say(f"larger than {MAX_FILE_BYTES} bytes", f"超过 {MAX_FILE_BYTES} 字节"))
    try:
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused(say(f"no TOML: {error}", f"不是有效的 TOML：{error}")) from None
    try:
        app = App.model_validate(values)
    except (ValidationError, RecursionError) as error:
        raise _refused(_first(error)) from None
    return AppFile(app=app, sha256=sha256(data).hexdigest(), toml=text, own=own)


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return say("nested too deep", "嵌套过深")
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = (
        ""
        if isinstance(given, Mapping | list | tuple)
        else f" ({json.dumps(given, ensure_ascii=False, default=str)[:80]})"
    )
    return f"{where}: {message}{shown}" if where else message


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"The app's file cannot be used: {why}.", f"应用文件无法使用：{why}。"),
        fix=say("Correct the file; docs/guide/en/apps.md describes it.", "请更正文件；格式见 docs/guide/zh/apps.md。"),
    )
