"""Takes a structured template apart, for prompts that need its pieces."""

from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.apps.structured_prompt import KEYS, build, parse
from inkseal.core.language import Language


class Structured:
    """The pieces of `主题: …; 风格: …; 元素: …`, and the template written out again in both languages."""

    name: ClassVar[str] = "structured"
    arguments: ClassVar[frozenset[str]] = frozenset({"text"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns a text for each known key, `elements` as a list, `others`, and the template as `zh` and `en`.

        Raises:
            InvalidRequest: it cannot be read.
        """
        found = parse(str(values["text"]))
        pieces: dict[str, Any] = {key: " ".join(found.get(key)) for key in KEYS}
        pieces |= {key: list(found.get(key)) for key in ("elements", "colours", "avoid")}
        pieces["others"] = [{"key": key, "text": " ".join(texts)} for key, texts in found.entries if key not in KEYS]
        pieces["zh"], pieces["en"] = build(found, "zh"), build(found, "en")
        pieces["canonical"] = pieces[language]
        return pieces
