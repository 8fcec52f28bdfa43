"""Facts that must stand in the answer, and words that must not."""

import html
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps import folding
from inkseal.apps.contracts import Answer, Facts, PathName, RuleConfig, texts_at
from inkseal.apps.template import TemplateText, look_up
from inkseal.core.language import say

Texts = tuple[TemplateText, ...]


class ContainsConfig(RuleConfig):
    """Texts may be templates: `{{name}}`. Compared without regard to case, width, hyphens and blanks."""

    all: Texts = Field((), description="Every one must occur.")
    any: Texts = Field((), description="At least one must occur.")
    none: Texts = Field((), description="None may occur.")
    each: PathName | None = Field(None, description="A list: a field or a step's value; its items must occur.")
    without: PathName | None = Field(None, description="A list: none of its items may occur.")
    at_least: int | None = Field(None, ge=0, le=100, description="How many items of `each` will do; all when absent.")

    def templates(self) -> Iterator[str]:
        """Yields all texts."""
        yield from (*self.all, *self.any, *self.none)

    def asks_for(self) -> Iterator[str]:
        """Yields the list's name."""
        yield from super().asks_for()
        yield from (path for path in (self.each, self.without) if path is not None)


class Contains:
    """Key facts occur, and forbidden words do not."""

    name: ClassVar[str] = "contains"
    config: ClassVar[type[RuleConfig]] = ContainsConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(ContainsConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns one line for each text that is missing or must go."""
        config = self._config
        whole = _plain("\n".join(texts_at(answer, config.path)))
        wanted = [facts.text(template).strip() for template in config.all]
        found = [say(f"{t!r} is missing.", f"缺少“{t}”。") for t in wanted if t and _plain(t) not in whole]
        options = [text for template in config.any if (text := facts.text(template).strip())]
        if options and not any(_plain(text) in whole for text in options):
            listed = ", ".join(options[:5])
            found.append(say(f"One of these is missing: {listed}.", f"缺少以下之一：{listed}。"))
        unwanted = [facts.text(template).strip() for template in config.none]
        unwanted += [str(item).strip() for item in self._listed(config.without, facts)]
        found += [say(f"{t!r} must not occur.", f"不得出现“{t}”。") for t in unwanted if t and _plain(t) in whole]
        return [*found, *self._items(whole, facts)][:8]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing: facts are not put in by code."""
        return answer

    def _listed(self, path: str | None, facts: Facts) -> list[object]:
        items = look_up(path, facts.scope).value if path is not None else None
        return items if isinstance(items, list) else []

    def _items(self, whole: str, facts: Facts) -> list[str]:
        config = self._config
        items = self._listed(config.each, facts)
        missing = [str(item) for item in items if _plain(str(item)) not in whole]
        needed = len(items) if config.at_least is None else min(config.at_least, len(items))
        if len(items) - len(missing) >= needed:
            return []
        listed = ", ".join(missing[:6])
        return [say(f"These are missing: {listed}.", f"缺少：{listed}。")]


def _plain(text: str) -> str:
    """Returns the text as it is compared: a watering-can is a watering can, and `&amp;` of a page is what it shows."""
    return folding.folded(html.unescape(text).replace("-", " "))
