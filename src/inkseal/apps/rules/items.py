"""How many items a list of a JSON answer has, and whether they differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Count, Facts, RuleConfig, values_at
from inkseal.apps.folding import folded
from inkseal.core.language import say


class ItemsConfig(RuleConfig):
    """`path` ends with `[]`; counts are numbers or fields' names in braces."""

    keeps_words: ClassVar[bool] = True
    count: Count | None = None
    min: Count | None = None
    max: Count | None = None
    unique: bool = Field(False, description="No two items are the same.")

    def templates(self) -> Iterator[str]:
        """Yields the counts that are names."""
        yield from (count for count in (self.count, self.min, self.max) if isinstance(count, str))


class Items:
    """A list has so many items, and no two are the same."""

    name: ClassVar[str] = "items"
    config: ClassVar[type[RuleConfig]] = ItemsConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(ItemsConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns what is off."""
        config = self._config
        values = values_at(answer, config.path)
        exact, least, most = (
            None if bound is None else facts.number(bound) for bound in (config.count, config.min, config.max)
        )
        number, found = len(values), []
        if exact is not None and number != exact:
            found.append(say(f"There are {number} items; {exact} are needed.", f"有 {number} 项，应为 {exact} 项。"))
        if (least is not None and number < least) or (most is not None and number > most):
            span = f"{least or 0} … {most if most is not None else '∞'}"
            found.append(say(f"There are {number} items; {span} are needed.", f"有 {number} 项，应为 {span} 项。"))
        keys = [_key(value) for value in values]
        if config.unique and len(set(keys)) < len(keys):
            twice = next(value for value in values if keys.count(_key(value)) > 1)
            shown = json.dumps(twice, ensure_ascii=False)[:80]
            found.append(say(f"An item occurs twice: {shown}.", f"有重复的项：{shown}。"))
        return found

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Leaves out what a list at the top says twice, where its length is free."""
        config, name = self._config, self._config.path.removesuffix("[]")
        values = answer.data.get(name) if isinstance(answer.data, Mapping) else None
        if not config.unique or config.count is not None or not isinstance(values, list):
            return answer
        kept = list({_key(value): value for value in reversed(values)}.values())[::-1]
        if len(kept) < ((facts.number(config.min) if config.min is not None else None) or 1):
            return answer
        data = {**answer.data, name: kept}
        return Answer(json.dumps(data, ensure_ascii=False), data)


def _key(value: Any) -> str:
    return folded(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))
