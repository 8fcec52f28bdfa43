from typing import Any

import pytest

from inkseal.apps.misfit import misfit
from inkseal.core.language import use_language

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["title", "parts"],
    "properties": {
        "title": {"type": "string", "minLength": 3, "maxLength": 5},
        "parts": {
            "type": "array",
            "maxItems": 2,
            "items": {"type": "object", "required": ["by"], "properties": {"by": {"enum": ["Ann", "Bo"]}}},
        },
        "count": {"type": "integer"},
    },
}
GOOD: dict[str, Any] = {"title": "Dune", "parts": [{"by": "Ann"}]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"title": "Dunes of Mars"}, "`title`: 13 characters; at most 5 are allowed."),
        ({"title": "D"}, "`title`: 1 characters; at least 3 are needed."),
        ({"parts": [{"by": "Ann"}, {"by": "Cy"}]}, "`parts[2].by`: it must be one of: Ann, Bo."),
        ({"parts": [{"by": "Ann"}] * 3}, "`parts`: 3 items; at most 2 are allowed."),
        ({"parts": [{}]}, "`parts[1]`: `by` is missing."),
        ({"count": "4"}, "`count`: it does not meet the schema."),
    ],
)
def test_the_first_place_that_is_off_is_named(change: dict[str, Any], told: str) -> None:
    with use_language("en"):
        assert misfit({**GOOD, **change}, SCHEMA) == told


def test_what_has_no_place_is_told_too() -> None:
    with use_language("en"):
        assert misfit({"title": "Dune"}, SCHEMA) == "`parts` is missing."
        assert misfit([], {"type": "object"}) == "it does not meet the schema."


def test_it_speaks_chinese() -> None:
    with use_language("zh"):
        assert misfit({**GOOD, "title": "长篇小说大纲"}, SCHEMA) == "`title`：有 6 个字符，最多 5 个字符。"
