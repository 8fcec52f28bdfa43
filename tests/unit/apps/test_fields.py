"""What a form's fields take."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.contracts import Spoken
from inkseal.apps.fields import Field, FieldOff
from inkseal.core.language import Language, use_language

LINES = Field(name="lines", type="number", title=Spoken(en="Lines", zh="行数"), min=1, max=20)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "value", [True, "4", None, math.nan, math.inf, 10**400, -(10**400), json.loads("1e400"), 1.5, 0, 21]
)
def test_what_is_no_number_of_the_field_is_refused_with_its_name(language: Language, value: Any) -> None:
    with use_language(language), pytest.raises(FieldOff) as refused:
        LINES.value(value)
    assert refused.value.param == "lines"
    assert {"en": "Lines", "zh": "行数"}[language] in str(refused.value)


def test_a_number_of_any_size_can_be_sent_as_json() -> None:
    table = Field(name="data", type="json", title=Spoken(en="Data", zh="数据"), json_schema={"type": "number"})
    assert table.value(json.loads("9" * 300)) == int("9" * 300)
    with pytest.raises(FieldOff):
        table.value(json.loads("9" * 400))


@given(st.integers(-(10**4), 10**4) | st.floats() | st.integers())
def test_a_number_is_taken_exactly_where_the_form_says(value: float) -> None:
    try:
        taken = LINES.value(value)
    except FieldOff:
        assert not (1 <= value <= 20 and value == int(value))
    else:
        assert taken == value
        assert isinstance(taken, int)
