"""A model writes something for each item of a list."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import PathName, Prompt, Prompts, StepConfig
from inkseal.apps.steps._schema import JsonSchema
from inkseal.apps.template import Bound, look_up
from inkseal.apps.work import Question, Work
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Origin

_OWN = frozenset({"item", "item_number", "num_items", "before"})


class MapConfig(StepConfig):
    """A prompt for each item: `item`, `item_number`, `num_items`, and `before`, the answers to the items before."""

    over: PathName = Field(description="The list: a field, a step's value or a place in it.")
    max_items: int = Field(8, ge=1, le=20, description="More are refused.")
    system: Prompt | None = None
    prompt: Prompt
    json_schema: JsonSchema | None = None
    max_tokens: int | None = Field(None, ge=1, le=8192)
    temperature: float | None = Field(None, ge=0, le=2)
    attempts: int | None = Field(None, ge=1, le=5)

    def prompts(self) -> Iterator[tuple[Prompts, frozenset[str]]]:
        """Yields system and user prompt."""
        if self.system is not None:
            yield self.system, _OWN
        yield self.prompt, _OWN

    def asks_for(self) -> Iterator[str]:
        """Yields the list's name."""
        yield from super().asks_for()
        yield self.over

    def parts_of(self, value: Any) -> list[Any]:
        """Returns the answers to the items."""
        return list(value)

    def calls(self) -> int:
        """Returns the largest number of items."""
        return self.max_items


class Map:
    """A model writes something for each item of a list; rules are for each answer alone."""

    name: ClassVar[str] = "map"
    config: ClassVar[type[StepConfig]] = MapConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(MapConfig, config)

    def run(self, work: Work) -> list[Any]:
        """Returns the answers, in order.

        Raises:
            InvalidRequest: it is no list, or too long.
        """
        config = self._config
        items, origin = look_up(config.over, work.scope)
        if not isinstance(items, list) or len(items) > config.max_items:
            raise InvalidRequest(
                say(
                    f"{config.over} is no list of at most {config.max_items} items.",
                    f"{config.over} 不是最多 {config.max_items} 项的列表。",
                )
            )
        made: list[Any] = []
        for number, item in enumerate(items, 1):
            own = {
                "item": Bound(item, origin),
                "item_number": Bound(number, Origin.SYSTEM),
                "num_items": Bound(len(items), Origin.SYSTEM),
                "before": Bound(list(made), Origin.ASSISTANT),
            }
            answer = work.ask(
                Question(
                    prompt=config.prompt,
                    system=config.system,
                    json_schema=config.json_schema,
                    own=own,
                    max_tokens=config.max_tokens,
                    temperature=config.temperature,
                    attempts=config.attempts,
                    item=number,
                    num_items=len(items),
                )
            )
            made.append(answer.text if config.json_schema is None else answer.data)
        return made
