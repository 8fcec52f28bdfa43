"""Headings of a Markdown answer: how many, and which."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Count, Facts, Prompt, RuleConfig, texts_at
from inkseal.apps.folding import folded
from inkseal.core.language import say

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_BOLD_LINE = re.compile(r"^\s*\*\*([^*\n]{1,80})\*\*\s*[:：]?\s*$", re.MULTILINE)


class HeadingsConfig(RuleConfig):
    """Lines that begin with #, and lines that are bold as a whole."""

    min: Count | None = None
    max: Count | None = None
    named: tuple[Prompt, ...] = Field((), max_length=20, description="Each must stand in a heading.")

    def templates(self) -> Iterator[str]:
        """Yields counts and names."""
        yield from (count for count in (self.min, self.max) if isinstance(count, str))
        for name in self.named:
            yield from name


class Headings:
    """A Markdown answer has so many headings, and those that are named."""

    name: ClassVar[str] = "headings"
    config: ClassVar[type[RuleConfig]] = HeadingsConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(HeadingsConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns what is missing or too much."""
        config = self._config
        text = "\n".join(texts_at(answer, config.path))
        headings = [*_HEADING.findall(text), *_BOLD_LINE.findall(text)]
        found = []
        least = facts.number(config.min) if config.min is not None else None
        most = facts.number(config.max) if config.max is not None else None
        if (least is not None and len(headings) < least) or (most is not None and len(headings) > most):
            span = f"{least or 0} … {most if most is not None else '∞'}"
            found.append(
                say(
                    f"It has {len(headings)} headings; {span} are needed.",
                    f"有 {len(headings)} 个标题，应为 {span} 个。",
                )
            )
        known = [folded(heading) for heading in headings]
        for prompt in config.named:
            name = facts.text(prompt.of(facts.language)).strip()
            if name and not any(folded(name) in heading for heading in known):
                found.append(say(f"The heading {name!r} is missing.", f"缺少标题“{name}”。"))
        return found[:8]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer
