"""From the protocols' bodies to one and the same request."""

from typing import Any

import pytest
from pydantic import ValidationError

from inkseal.core.types import Origin
from inkseal.modalities.image.request import ImageRequest
from inkseal.serve.routes._anthropic_body import MessageBody
from inkseal.serve.routes._openai_chat_body import ChatBody
from inkseal.serve.routes._protocol import FieldError
from inkseal.serve.routes._responses_body import ResponseBody
from inkseal.serve.routes.openai_images import ImageBody

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL = '{"city": "Paris"}'


def chat(**fields: Any) -> Any:
    return ChatBody.model_validate({"model": "m", **fields}).to_request()


def test_the_same_conversation_is_the_same_request_in_all_protocols() -> None:
    function = {"name": "weather", "description": "d", "parameters": SCHEMA}
    called = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": CALL}}
    first = chat(
        messages=[
            {"role": "developer", "content": "brief"},
            {"role": "user", "content": [{"type": "text", "text": "weather?"}]},
            {"role": "assistant", "content": "let me see", "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "c1", "content": "sun"},
        ],
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        seed=7,
        temperature=0.5,
    )
    body = ResponseBody.model_validate(
        {
            "model": "m",
            "instructions": "brief",
            "input": [
                {"role": "user", "content": "weather?"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "let me see"}]},
                {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": CALL},
                {"type": "function_call_output", "call_id": "c1", "output": "sun"},
            ],
            "tools": [{"type": "function", **function}],
            "tool_choice": {"type": "function", "name": "weather"},
            "seed": 7,
            "temperature": 0.5,
        }
    )
    third = MessageBody.model_validate(
        {
            "model": "m",
            "max_tokens": 1024,
            "system": [{"type": "text", "text": "brief", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "weather?"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "let me see"},
                        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "sun"}]},
            ],
            "tools": [{"name": "weather", "description": "d", "input_schema": SCHEMA}],
            "tool_choice": {"type": "tool", "name": "weather"},
            "seed": 7,
            "temperature": 0.5,
        }
    ).to_request()
    assert first == body.to_request((), body.turns()) == third
    assert [message.role for message in first.messages] == ["system", "user", "assistant", "tool"]
    assert first.messages[-1].parts[0].origin is Origin.TOOL  # a stranger's words, and judged as such


def test_results_of_tools_come_before_the_words_beside_them() -> None:
    blocks = [{"type": "text", "text": "and?"}, {"type": "tool_result", "tool_use_id": "c", "content": "sun"}]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": blocks}]}
    found = MessageBody.model_validate(body).to_request()
    assert [message.role for message in found.messages] == ["tool", "user"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "user", "content": "x", "tool_calls": []}], "tool_choice": "required"}, "tool_choice"),
        ({"messages": [{"role": "assistant", "content": None}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages.0.content.0"),
        (
            {"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema"}},
            "response_format",
        ),
    ],
)
def test_what_cannot_be_taken_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(FieldError) as refused:
        chat(**fields)
    assert str(refused.value.param).startswith(param)


def test_an_unknown_field_is_refused_at_every_depth() -> None:
    turn = {"role": "user", "content": "x"}
    for extra in (
        {"messages": [turn], "nonsense": 1},
        {"messages": [{**turn, "nonsense": 1}]},
        {"messages": [turn], "stream_options": {"nonsense": 1}},
        {"messages": [turn], "tools": [{"type": "function", "function": {"name": "f", "nonsense": 1}}]},
    ):
        with pytest.raises(ValidationError, match="nonsense"):
            chat(**extra)


def test_a_null_is_as_good_as_nothing() -> None:
    turn = {"role": "user", "content": "x"}
    nulls = dict.fromkeys(("stop", "seed", "tools", "logprobs", "reasoning_effort", "response_format", "n", "stream"))
    assert chat(messages=[turn], **nulls) == chat(messages=[turn])


def test_every_field_of_a_picture_is_kept() -> None:
    fields = {"model": "m", "n": 2, "style": "noto", "seed": 7, "steps": 4, "guidance": 2.5, "solver": "heun"}
    body = ImageBody.model_validate({"prompt": "a fox", "size": "64x32", "candidates": 3, "user": "u", **fields})
    assert body.to_request() == ImageRequest.of("a fox", width_px=64, height_px=32, candidates=3, **fields)
    assert ImageBody(prompt="a fox", seed=0).to_request() == ImageRequest.of("a fox", seed=0)
    with pytest.raises(FieldError, match="candidates") as refused:
        ImageBody(prompt="a fox", candidates=17).to_request()
    assert refused.value.param == "body.candidates"
