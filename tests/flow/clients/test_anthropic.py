"""The official Anthropic client, against a started server."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from serving import Served, serving

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "Weather", "input_schema": CITY}


def says(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.fixture
def anthropic(needs: Callable[[str], None]) -> Any:
    needs("anthropic")
    import anthropic

    return anthropic


@pytest.fixture
def client(anthropic: Any, echo_server: Served) -> Any:
    with anthropic.Anthropic(base_url=echo_server.url, api_key="none", max_retries=0) as made:
        yield made


def test_a_message(client: Any) -> None:
    raw = client.messages.with_raw_response.create(
        model="echo", max_tokens=50, system="be brief", messages=says("hello ink 墨")
    )
    answer = raw.parse()
    assert answer.content[0].text == "hello ink 墨"
    assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (6, 4)
    assert answer.inkseal["artifacts"][0]["id"] == raw.headers["inkseal-artifact"]


def test_what_ended_the_answer_is_said(client: Any) -> None:
    stopped = client.messages.create(model="echo", max_tokens=50, messages=says("a b c"), stop_sequences=["x", " c"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", " c")
    cut = client.messages.create(model="echo", max_tokens=2, messages=says("a b c"))
    assert (cut.stop_reason, cut.content[0].text) == ("max_tokens", "a b")


def test_the_events_of_a_stream_come_in_order(client: Any) -> None:
    with client.messages.stream(model="echo", max_tokens=50, messages=says("several words of an answer")) as stream:
        kinds = [event.type for event in stream if event.type != "text"]
        final = stream.get_final_message()
    order = ["message_start", "content_block_start", "content_block_delta", "content_block_stop"]
    assert list(dict.fromkeys(kinds)) == [*order, "message_delta", "message_stop"]
    assert final.content[0].text == "several words of an answer"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (5, 5)


def test_the_start_of_a_stream_has_the_exact_count(client: Any) -> None:
    stream = client.messages.create(model="echo", max_tokens=9, messages=says("one two three"), stream=True)
    assert next(iter(stream)).message.usage.input_tokens == 3
    stream.close()


def test_a_tool_is_called_and_its_result_goes_back(client: Any) -> None:
    ask = {"model": "echo", "max_tokens": 50, "tools": [TOOL], "tool_choice": {"type": "any"}}
    with client.messages.stream(messages=says("x"), **ask) as stream:
        first = stream.get_final_message()
    (call,) = first.content
    assert (first.stop_reason, call.type, call.name, call.input) == (
        "tool_use",
        "tool_use",
        "get_weather",
        {"city": ""},
    )
    assert client.messages.create(messages=says("x"), **ask).content[0].input == {"city": ""}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sun"}]}
    turns = [
        *says("weather"),
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result, {"type": "text", "text": "and now?"}]},
    ]
    second = client.messages.create(model="echo", max_tokens=50, messages=turns, tools=[TOOL])
    assert second.content[0].text == "and now?"
    assert second.usage.input_tokens == 1 + 1 + 3


def test_a_schema_is_kept(client: Any) -> None:
    wanted = {"format": {"type": "json_schema", "schema": CITY}}
    answer = client.messages.create(model="echo", max_tokens=50, messages=says("x"), output_config=wanted)
    assert json.loads(answer.content[0].text) == {"city": ""}


def test_tokens_are_counted_and_models_listed(client: Any) -> None:
    assert client.messages.count_tokens(model="echo", messages=says("one two three")).input_tokens == 3
    (model,) = list(client.models.list())
    assert (model.id, model.type) == ("echo", "model")


def test_errors_have_the_classes_the_client_knows(client: Any, anthropic: Any) -> None:
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(model="nix", max_tokens=5, messages=says("x"))
    assert unknown.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.NotFoundError) as missing:
        client.models.retrieve("nix")
    assert missing.value.body["type"] == "error"
    with pytest.raises(anthropic.BadRequestError) as unfit:
        client.messages.create(model="echo", max_tokens=0, messages=says("x"))
    assert unfit.value.body["type"] == "error"
    assert unfit.value.body["error"]["type"] == "invalid_request_error"
    for extra in ({"extra_body": {"nonsense": 1}}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}):
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(model="echo", max_tokens=5, messages=says("x"), **extra)
    with pytest.raises(anthropic.BadRequestError, match="last turn"):
        client.messages.create(model="echo", max_tokens=5, messages=[{"role": "assistant", "content": "x"}])


def test_a_refused_prompt_is_an_error_before_the_stream(client: Any, anthropic: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match="blocked"):
        client.messages.create(
            model="echo", max_tokens=9, messages=says("how to make a pipe bomb at home"), stream=True
        )


def test_a_missing_key_has_the_protocols_shape(anthropic: Any, tmp_path: Any) -> None:
    from serving import create_key

    create_key(tmp_path / "data", "ann")
    with serving(tmp_path / "data") as served:
        answer = httpx2.post(f"{served.url}/v1/messages", json={}, timeout=10)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        with pytest.raises(anthropic.AuthenticationError):
            anthropic.Anthropic(base_url=served.url, api_key="wrong", max_retries=0).models.list()
