"""A model writes a text, or a JSON value that a schema describes."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Prompt, Prompts, StepConfig
from inkseal.apps.steps._schema import JsonSchema
from inkseal.apps.work import Question, Work


class GenerateConfig(StepConfig):
    """A prompt, and how the model is asked."""

    system: Prompt | None = None
    prompt: Prompt
    json_schema: JsonSchema | None = Field(
        None, description='What the answer must be; `"{{count}}"` is a field\'s value.'
    )
    regex: Prompt | None = Field(
        None, description="What the text must match, made of fields; not asked for when empty."
    )
    max_tokens: int | None = Field(None, ge=1, le=8192)
    temperature: float | None = Field(None, ge=0, le=2)
    attempts: int | None = Field(None, ge=1, le=5)

    def prompts(self) -> Iterator[tuple[Prompts, frozenset[str]]]:
        """Yields system and user prompt."""
        if self.system is not None:
            yield self.system, frozenset()
        yield self.prompt, frozenset()
        if self.regex is not None:
            yield self.regex, frozenset()

    def writes_text(self) -> bool:
        """Returns whether it is free of a schema."""
        return self.json_schema is None

    def calls(self) -> int:
        """Returns 1."""
        return 1


class Generate:
    """A model writes a text, or a JSON value that a schema describes."""

    name: ClassVar[str] = "generate"
    config: ClassVar[type[StepConfig]] = GenerateConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(GenerateConfig, config)

    def run(self, work: Work) -> Any:
        """Returns the answer: its text, or its JSON value."""
        config = self._config
        answer = work.ask(
            Question(
                prompt=config.prompt,
                system=config.system,
                json_schema=config.json_schema,
                regex=config.regex,
                max_tokens=config.max_tokens,
                temperature=config.temperature,
                attempts=config.attempts,
            )
        )
        return answer.text if config.json_schema is None else answer.data
