"""Names in a JSON answer that must come from a list."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from inkseal.apps.contracts import Answer, Facts, PathName, RuleConfig, texts_at
from inkseal.apps.folding import folded
from inkseal.apps.template import look_up
from inkseal.core.language import say


class AmongConfig(RuleConfig):
    """`path` names the texts, such as `picks[].name`."""

    of: PathName
    """A list: a field or a step's value. A text counts as from it when an item holds it."""

    def asks_for(self) -> Iterator[str]:
        """Yields the list's name."""
        yield from super().asks_for()
        yield self.of


class Among:
    """Nothing is named that is not on the list."""

    name: ClassVar[str] = "among"
    config: ClassVar[type[RuleConfig]] = AmongConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(AmongConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns one line for each name that no item holds."""
        items = look_up(self._config.of, facts.scope).value
        if not isinstance(items, list):
            return []
        known = [folded(str(item)) for item in items]
        strange = [text for text in texts_at(answer, self._config.path) if not _is_known(folded(text), known)]
        return [say(f"{text[:60]!r} is not on the list.", f"“{text[:60]}”不在清单上。") for text in strange[:8]]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer


def _is_known(text: str, known: list[str]) -> bool:
    return bool(text) and any(text in item for item in known)
