"""What the plug-ins of apps must have: kinds of steps, rules for answers, and computations."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Protocol

from pydantic import BeforeValidator, Field, StringConstraints

from inkseal.apps.template import Bound, TemplateText, checked, plain
from inkseal.catalog.card import Words
from inkseal.core.config import ComponentConfig
from inkseal.core.language import Language
from inkseal.core.types import Closed

if TYPE_CHECKING:
    from inkseal.apps.work import Work

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
PathName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,5}$")]


def both(value: Any) -> Any:
    """Lets one text stand for both languages, for apps that people write for themselves."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


Spoken = Annotated[Words, BeforeValidator(both)]
"""A text in both languages; a plain string serves both."""


class Prompts(Closed):
    """A template in both languages."""

    en: TemplateText
    zh: TemplateText

    def of(self, language: Language) -> str:
        """Returns the template of a language."""
        return self.zh if language == "zh" else self.en

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter((self.en, self.zh))


Prompt = Annotated[Prompts, BeforeValidator(both)]


class StepConfig(ComponentConfig):
    """What every step has."""

    name: Name
    kind: str
    title: Spoken | None = Field(None, description="What people see while it works; the name when absent.")
    when: PathName | None = Field(None, description="Done only if this field or step is not empty.")

    def prompts(self) -> Iterator[tuple[Prompts, frozenset[str]]]:
        """Yields the templates, each with the names that the step itself puts in."""
        yield from ()

    def asks_for(self) -> Iterator[str]:
        """Yields the dotted names that the step reads besides its templates."""
        if self.when is not None:
            yield self.when

    def calls(self) -> int:
        """Returns how often it asks a model at most."""
        return 0

    def parts_of(self, value: Any) -> list[Any]:
        """Returns the answers that the step's value is made of; rules are for each of them."""
        return [value]

    def refines(self) -> str | None:
        """Returns the earlier step whose text it writes anew, if it does that."""
        return None

    def writes_text(self) -> bool:
        """True when its value is one text that a model wrote."""
        return False

    def makes_text(self) -> bool:
        """True when a model writes its value, so that rules can be told to it."""
        return self.calls() > 0


class Step(Protocol):
    """One kind of step. One file in `apps/steps/`."""

    name: ClassVar[str]
    config: ClassVar[type[StepConfig]]

    def __init__(self, config: Any) -> None: ...

    def run(self, work: "Work") -> Any:
        """Returns the step's value: text, or a JSON value.

        Raises:
            InksealError: it could not be done; the app ends.
        """


class Answer(NamedTuple):
    """What a model wrote: its text, and the JSON value in it where there is a schema."""

    text: str
    data: Any = None


class Facts(NamedTuple):
    """What a rule may know of the run."""

    scope: Mapping[str, Bound]
    language: Language

    def text(self, template: str) -> str:
        """Returns a template with this run's values."""
        return plain(template, self.scope)

    def number(self, value: "int | str") -> int | None:
        """Returns a number that is given as such, or as the name of a field in braces; None when it is empty."""
        if isinstance(value, int):
            return value
        text = self.text(value)
        try:
            return int(float(text))
        except ValueError:
            return None


def _count(value: Any) -> Any:
    if isinstance(value, str):
        checked(value)
    elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise ValueError("give a whole number, or a field's name as {{name}}")
    return value


Count = Annotated[int | str, BeforeValidator(_count)]
"""A whole number, or `{{field}}`."""


class RuleConfig(ComponentConfig):
    """What every rule has."""

    keeps_words: ClassVar[bool] = False
    """Whether its mending loses nothing that is said, so that it is done before a model is asked again."""

    kind: str
    step: Name | None = Field(None, description="Whose answer it is for; the step that makes the output when absent.")
    path: str = Field(
        "",
        max_length=200,
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*(\[\])?(\.[A-Za-z_][A-Za-z0-9_]*(\[\])?)*)?$",
        description="Which texts of a JSON answer, such as `questions[].text`; the whole answer when empty.",
    )
    must: bool = Field(True, description="Refuse the result when it cannot be met; else say that it is not met.")
    when: PathName | None = Field(None, description="Asked only if this field or step is not empty.")
    language: Language | None = Field(None, description="Asked only in this language.")

    def templates(self) -> Iterator[str]:
        """Yields the templates in its fields."""
        yield from ()

    def asks_for(self) -> Iterator[str]:
        """Yields the dotted names that it reads besides its templates."""
        if self.when is not None:
            yield self.when


class Rule(Protocol):
    """What an answer must meet. One file in `apps/rules/`.

    Problems are said in the language of the run, so that the model can be told; they quote as little as is needed.
    """

    name: ClassVar[str]
    config: ClassVar[type[RuleConfig]]

    def __init__(self, config: Any) -> None: ...

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns what is not met; [] when all is well."""

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Returns the answer as far as code can mend it without adding a word; unchanged where it cannot."""


class Computation(Protocol):
    """What code works out. One file in `apps/computations/`."""

    name: ClassVar[str]
    arguments: ClassVar[frozenset[str]]
    """Names of the values it takes."""
    optional: ClassVar[frozenset[str]]

    def run(self, values: Mapping[str, Any], language: Language) -> Any:
        """Returns a JSON value.

        Raises:
            InvalidRequest: a value cannot be used.
        """


def texts_at(answer: Answer, path: str) -> list[str]:
    """Returns the texts of an answer at a path such as `questions[].text`; for an empty one all of it as one text.

    Of a JSON answer that is what it says, a value a line: its keys and its escapes are form.
    """
    if not path:
        return [answer.text if answer.data is None else "\n".join(_said(answer.data))]
    found = [answer.data]
    for step in path.split("."):
        name, spread = step.removesuffix("[]"), step.endswith("[]")
        found = [value.get(name) for value in found if isinstance(value, Mapping)]
        if spread:
            found = [item for value in found if isinstance(value, list) for item in value]
    return [value if isinstance(value, str) else str(value) for value in found if value is not None]


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _said(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def values_at(answer: Answer, path: str) -> list[Any]:
    """Returns the JSON values of an answer at a path, as they are."""
    found = [answer.data]
    for step in filter(None, path.split(".")):
        name, spread = step.removesuffix("[]"), step.endswith("[]")
        found = [value.get(name) for value in found if isinstance(value, Mapping)]
        if spread:
            found = [item for value in found if isinstance(value, list) for item in value]
    return [value for value in found if value is not None]
