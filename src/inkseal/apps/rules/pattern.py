"""A regular expression that the answer meets, or must not meet."""

import re
from typing import Any, ClassVar, Self, cast

from pydantic import Field, model_validator

from inkseal.apps.contracts import Answer, Facts, RuleConfig, Spoken, texts_at
from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.formats.tokenizer_json import check_pattern


class PatternConfig(RuleConfig):
    """Looked for in each text; `says` is what people and the model are told."""

    regex: str = Field(min_length=1, max_length=500)
    absent: bool = False
    at_least: int = Field(1, ge=1, le=1000, description="How often it must occur.")
    says: Spoken | None = None

    @model_validator(mode="after")
    def _cheap(self) -> Self:
        try:
            check_pattern(self.regex)
            re.compile(self.regex)
        except (ModelFileRefused, re.error) as error:
            raise ValueError(f"regex: {error}") from None
        return self


class Pattern:
    """A pattern occurs, or does not."""

    name: ClassVar[str] = "pattern"
    config: ClassVar[type[RuleConfig]] = PatternConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(PatternConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line when a text does not meet it."""
        config = self._config
        for text in texts_at(answer, config.path) or [""]:
            found = [match[0] for match in re.finditer(config.regex, text, re.MULTILINE)]
            if config.absent and found:
                return [_unwanted(found[0].strip()[:40], config.says)]
            if not config.absent and len(found) < config.at_least:
                return [
                    str(config.says)
                    if config.says
                    else say(f"{config.regex!r} is missing.", f"缺少 {config.regex!r}。")
                ]
        return []

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer


def _unwanted(found: str, says: Spoken | None) -> str:
    told = say(f"{found!r} must not occur.", f"不得出现“{found}”。") if found else ""
    return " ".join(filter(None, (str(says or ""), told)))
