"""Adds up marks: choices that code marked and free answers that a model judged, each said apart."""

from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.core.language import Language

OPEN_POINTS = 2
"""Points of a free answer: 0 wrong, 1 in part, 2 right. A choice has as many, all or none."""


class MarksTotal:
    """The points of a quiz: by code, by the model, and together."""

    name: ClassVar[str] = "marks_total"
    arguments: ClassVar[frozenset[str]] = frozenset({"marks"})
    optional: ClassVar[frozenset[str]] = frozenset({"judged"})

    def run(self, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """Returns `points`, `most`, `percent`, `by_code`, `by_model` and the rows of the judged answers, `open`."""
        marks, judged = values["marks"], values.get("judged") or []
        by_code = marks["num_right"] * OPEN_POINTS
        rows = [
            {**row, "points": verdict["points"], "reason": verdict["reason"]}
            for row, verdict in zip(marks["open"], judged, strict=True)
        ]
        by_model = sum(row["points"] for row in rows)
        most = (marks["num_choices"] + len(rows)) * OPEN_POINTS
        return {
            "points": by_code + by_model,
            "most": most,
            "percent": round(100 * (by_code + by_model) / most) if most else 0,
            "by_code": by_code,
            "by_model": by_model,
            "open": rows,
            "points_each": OPEN_POINTS,
        }
