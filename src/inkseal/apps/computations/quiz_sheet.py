"""Puts a quiz together: each question with its options in an order that says nothing about which is right."""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.apps.folding import folded
from inkseal.core.language import Language

FEWEST = 3
"""Options that a choice needs."""


class QuizSheet:
    """A quiz of questions and the key of each; the last is to be answered freely."""

    name: ClassVar[str] = "quiz_sheet"
    arguments: ClassVar[frozenset[str]] = frozenset({"questions", "keys"})
    optional: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `questions`, each with `question`, `options` (none: a free answer), `answer` and `explanation`.

        Args:
            values: `questions`, texts; `keys`, for each its `answer`, `wrong` answers and `explanation`.
            language: of the app's run.
        """
        last = len(values["questions"]) - 1
        rows = zip(values["questions"], values["keys"], strict=True)
        return {"questions": [_row(text, key, free=place == last) for place, (text, key) in enumerate(rows)]}


def _row(question: str, key: Mapping[str, Any], *, free: bool) -> dict[str, Any]:
    def lot(option: str) -> bytes:
        return hashlib.sha256(f"{question}\n{option}".encode()).digest()

    differing = {folded(option): option for option in (*key["wrong"], key["answer"])}
    options = [] if free or len(differing) < FEWEST else sorted(differing.values(), key=lot)
    return {
        "question": question,
        "options": options,
        "answer": key["answer"],
        "explanation": key["explanation"],
    }
