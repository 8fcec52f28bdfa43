"""In which language the answer is."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field

from inkseal.apps.contracts import Answer, Facts, RuleConfig, texts_at
from inkseal.apps.template import TemplateText
from inkseal.core.language import say
from inkseal.modalities.text.segmentation import language_of

_FENCE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_NAMES = {"zh": ("Chinese", "中文"), "en": ("English", "英文")}


class LanguageConfig(RuleConfig):
    """Which language; the run's own when empty."""

    wanted: TemplateText = Field("", description="zh, en, or a choice field in braces whose words name the language.")

    def templates(self) -> Iterator[str]:
        """Yields the language, which may be a field's name."""
        yield self.wanted


class Language:
    """The answer is in Chinese or in English; code in it does not count."""

    name: ClassVar[str] = "language"
    config: ClassVar[type[RuleConfig]] = LanguageConfig

    def __init__(self, config: Any) -> None:
        self._config = cast(LanguageConfig, config)

    def problems(self, answer: Answer, facts: Facts) -> list[str]:
        """Returns a line when it is in the other language; other languages than these two cannot be told."""
        wanted = self._code(facts)
        text = _FENCE.sub(" ", "\n".join(texts_at(answer, self._config.path)))
        if wanted is None or not any(char.isalpha() for char in text) or language_of(text) == wanted:
            return []
        english, chinese = _NAMES[wanted]
        return [say(f"It must be in {english}.", f"必须用{chinese}写。")]

    def mend(self, answer: Answer, facts: Facts) -> Answer:
        """Changes nothing."""
        return answer

    def _code(self, facts: Facts) -> str | None:
        said = facts.text(self._config.wanted).strip().casefold()
        if not said:
            return facts.language
        if said in ("zh", "chinese") or "中文" in said or "汉语" in said:
            return "zh"
        return "en" if said in ("en", "english") or "英" in said else None
