"""How long the answer is: Chinese characters, or words."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from inkseal.apps.contracts import Answer, Count, Facts, RuleConfig, texts_at
from inkseal.apps.rules._counting import size
from inkseal.core.language import say


class LengthConfig(RuleConfig):
    """Bounds, each a number or a field's name in braces."""

    min: Count | None = None
    max: Count | None = None

    def templates(self) -> Iterator[str]:
        """Yields the bounds that are names."""
        yield from (bound for bound in (self.min, self.max) if isinstance(bound, str))


class Length:
    """Each text has so many Chinese characters or words."""

    name: ClassVar[str] = "length"
    config: ClassVar[type[RuleConfig]] = LengthConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(LengthConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns one line for each text that is too short or too long."""
        config = self._config
        least = facts.number(config.min) if config.min is not None else None
        most = facts.number(config.max) if config.max is not None else None
        found = []
        for text in texts_at(answer, config.path) or [""]:
            length = size(text)
            if least is not None and length < least:
                found.append(
                    say(
                        f"It has {length} words; at least {least} are needed.", f"只有 {length} 字，至少要 {least} 字。"
                    )
                )
            if most is not None and length > most:
                found.append(
                    say(f"It has {length} words; at most {most} are allowed.", f"有 {length} 字，最多 {most} 字。")
                )
        return found[:4]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing: what to leave out is not for code to decide."""
        return answer
