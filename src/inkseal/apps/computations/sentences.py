"""Numbers the sentences of a text, so that what is said of it can name them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.apps.sentence_ends import cut
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say

MAX_SENTENCES = 400


class Sentences:
    """The sentences of a text, numbered from 1."""

    name: ClassVar[str] = "sentences"
    arguments: ClassVar[frozenset[str]] = frozenset({"text"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `items` (`number`, `text`), `numbered` (one line each) and `count`.

        Raises:
            InvalidRequest: there are none, or too many.
        """
        found = cut(str(values["text"]))
        if not 1 <= len(found) <= MAX_SENTENCES:
            raise InvalidRequest(
                say(
                    f"The text has {len(found)} sentences; 1 to {MAX_SENTENCES} can be numbered.",
                    f"文本有 {len(found)} 个句子，可编号 1 到 {MAX_SENTENCES} 个。",
                )
            )
        return {
            "items": [{"number": number, "text": text} for number, text in enumerate(found, 1)],
            "numbered": "\n".join(f"[{number}] {text}" for number, text in enumerate(found, 1)),
            "count": len(found),
        }
