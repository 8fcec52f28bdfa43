import inspect

import pytest

from inkseal.cli._options import fill, parameters
from inkseal.core.errors import InvalidRequest
from inkseal.core.types import Message
from inkseal.modalities.text.request import TextRequest

MESSAGES = (Message.of("user", "hi"),)


def test_every_field_of_the_request_is_an_option() -> None:
    names = {p.name for p in parameters(TextRequest)}
    assert {"model", "seed", "max_tokens", "sampling__temperature", "constraint__json_schema", "tools"} <= names
    assert not {"messages", "modality", "parents"} & names
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters(TextRequest))


def test_absent_options_leave_the_defaults() -> None:
    assert fill(TextRequest, {}, messages=MESSAGES) == TextRequest(messages=MESSAGES)


def test_nested_fields_and_json_are_filled() -> None:
    options = {"sampling__temperature": 0.0, "constraint__json_schema": '{"type": "object"}', "stop": ["。"]}
    request = fill(TextRequest, options, messages=MESSAGES)
    assert isinstance(request, TextRequest)
    assert request.sampling.temperature == 0.0
    assert request.constraint is not None
    assert request.constraint.json_schema == {"type": "object"}
    assert request.stop == ("。",)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"sampling__temperature": 9.0}, "temperature"),
        ({"constraint__json_schema": "{nonsense"}, "--schema"),
        ({"tools": "[{}]"}, "tools"),
        ({"constraint__json_schema": "[" * 100_000}, "--schema"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        fill(TextRequest, options, messages=MESSAGES)
