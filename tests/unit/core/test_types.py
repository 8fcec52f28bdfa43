import time

import pytest
from pydantic import ValidationError

from inkseal.core.types import Message, Origin, Part, new_id
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest


def test_ids_are_26_characters_and_sort_by_time() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
    assert {len(i) for i in ids} == {26}


@pytest.mark.parametrize("origin", [Origin.DOCUMENT, Origin.TOOL, Origin.WEB])
def test_what_nobody_here_wrote_is_not_trusted(origin: Origin) -> None:
    assert not Part(text="x", origin=origin).origin.trusted


def test_unknown_fields_are_errors() -> None:
    with pytest.raises(ValidationError, match="chat_template"):
        TextRequest(messages=(Message.of("user", "hi"),), chat_template="{{ x }}")  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 2.1])
def test_temperature_is_finite_and_bounded(value: float) -> None:
    with pytest.raises(ValidationError):
        Sampling(temperature=value)


def test_a_constraint_is_exactly_one_thing() -> None:
    assert Constraint(regex="a+").regex == "a+"
    with pytest.raises(ValidationError, match="exactly one"):
        Constraint(regex="a+", choice=("a",))
    with pytest.raises(ValidationError, match="exactly one"):
        Constraint()


@pytest.mark.parametrize("fields", [{"max_tokens": 0}, {"max_tokens": 10**12}, {"n": 0}, {"n": 10**9}, {"seed": 2**70}])
def test_no_request_is_unbounded(fields: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        TextRequest.of("hi", **fields)


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ValidationError):
        TextRequest.of("hi", stop=("",))
