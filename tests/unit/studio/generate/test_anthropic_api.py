"""The backend for Anthropic's protocol against a strict fake: what it sends, what it reads, and what goes wrong."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from inkseal.catalog.providers import remote_models
from inkseal.core.config import Provider
from inkseal.core.errors import EngineFailed, Unsupported
from inkseal.core.events import ignore
from inkseal.core.types import Chunk, Message, ToolCall, Usage
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest, ToolSpec
from inkseal.studio.generate.backends.anthropic_api import AnthropicApi, AnthropicEngine
from inkseal.studio.generate.remote.client import RemoteConfig
from strict_server import StrictServer, endless, error, stream, strict_server, whole

KEY = "sk-ant-1234567890abcdef"
NEVER = threading.Event()


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with strict_server() as running:
        yield running


@pytest.fixture
def engine(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> AnthropicEngine:
    monkeypatch.setenv("FAR_KEY", KEY)
    given = {"kind": "anthropic_api", "base_url": server.base_url.removesuffix("/v1"), "allow_private": True}
    provider = Provider.model_validate(given | {"key_env": "FAR_KEY", "models": ["m"]})
    config = RemoteConfig(first_wait_seconds=0.01, read_seconds=2)
    return AnthropicApi(config).load(remote_models({"far": provider})["far/m"], 1, ignore, NEVER)


def run(engine: AnthropicEngine, request: TextRequest, cancel: threading.Event = NEVER) -> tuple[list[Chunk], Usage]:
    chunks: list[Chunk] = []
    going = engine.generate(request, cancel)
    while True:
        try:
            chunks.append(next(going))
        except StopIteration as end:
            return chunks, end.value


def event(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"type": kind} | more


START = event(
    "message_start",
    message={"model": "m-2026", "usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}},
)
OPEN = event("content_block_start", index=0, content_block={"type": "text", "text": ""})


def says(text: str) -> tuple[str, dict[str, Any]]:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def end(reason: str = "end_turn") -> tuple[tuple[str, dict[str, Any]], ...]:
    counts = {"output_tokens": 4}
    return event("message_delta", delta={"stop_reason": reason}, usage=counts), event("message_stop")


GOOD = stream(START, event("ping"), OPEN, says("你"), says("好"), event("content_block_stop", index=0), *end())


def test_a_stream_becomes_chunks_counts_and_facts(server: StrictServer, engine: AnthropicEngine) -> None:
    server.answers = [GOOD]
    chunks, usage = run(engine, TextRequest.of("hi", n=2))
    assert ["".join(c.text for c in chunks if c.index == i) for i in (0, 1)] == ["你好", "你好"]
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (7, 2, 8)
    assert usage.reported == {"model": "m-2026", "seed": "not used"}
    path, headers, _ = server.asked[0]
    assert (path, headers["x-api-key"], headers["anthropic-version"]) == ("/v1/messages", KEY, "2023-06-01")


def test_what_is_asked_is_sent_in_their_words(server: StrictServer, engine: AnthropicEngine) -> None:
    used = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    server.answers = [stream(START, event("content_block_start", index=0, content_block=used), *end("tool_use"))]
    call = ToolCall(id="c1", name="look", arguments={"at": "月"})
    request = TextRequest.of(
        "hi",
        system="be brief",
        stop=("END",),
        max_tokens=9,
        sampling=Sampling(temperature=0.5, top_k=3),
        tools=(ToolSpec(name="look", description="d"),),
        tool_choice="required",
        constraint=Constraint(json_schema={"type": "object"}),
    )
    result = Message.of("tool", "full").model_copy(update={"tool_call_id": "c1"})
    more = (Message(role="assistant", tool_calls=(call,)), result, Message.of("user", "so?"))
    run(engine, request.model_copy(update={"messages": request.messages + more}))
    schema = {"type": "object", "properties": {}}
    assert server.asked[0][2] == {
        "model": "m",
        "system": "be brief",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"at": "月"}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "full"},
                    {"type": "text", "text": "so?"},
                ],
            },
        ],
        "tools": [{"name": "look", "description": "d", "input_schema": schema}],
        "tool_choice": {"type": "any"},
        "stream": True,
        "max_tokens": 9,
        "temperature": 0.5,
        "top_k": 3,
        "stop_sequences": ["END"],
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    }


def test_tool_calls_are_put_together_from_pieces(server: StrictServer, engine: AnthropicEngine) -> None:
    def piece(text: str) -> tuple[str, dict[str, Any]]:
        return event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": text})

    block = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    server.answers = [
        stream(
            START,
            OPEN,
            says("Let me look."),
            event("content_block_start", index=1, content_block=block),
            piece('{"at": '),
            piece('"月"}'),
            *end("tool_use"),
        )
    ]
    chunks, _ = run(engine, TextRequest.of("hi", tools=(ToolSpec(name="look"),)))
    assert [(c.id, c.name, c.arguments) for c in chunks[-1].tool_calls] == [("toolu_1", "look", {"at": "月"})]
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("reason", "ours"), [("max_tokens", "length"), ("stop_sequence", "stop"), ("refusal", "blocked")]
)
def test_reasons(server: StrictServer, engine: AnthropicEngine, reason: str, ours: str) -> None:
    server.answers = [stream(START, OPEN, says("x"), *end(reason))]
    assert run(engine, TextRequest.of("hi"))[0][-1].finish_reason == ours


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (stream(START, OPEN, says("half")), "broke off"),
        (stream(START, event("error", error={"type": "overloaded_error", "message": "Overloaded"})), "Overloaded"),
        (stream(START, ("content_block_delta", "{")), "JSON"),
        (stream(event("content_block_delta")), "no delta"),
        (stream(event("content_block_delta", delta={"text": 7})), "text"),
        (whole({"type": "message"}), "text/event-stream"),
    ],
)
def test_what_goes_wrong_in_a_stream_is_said(
    server: StrictServer, engine: AnthropicEngine, answer: Any, why: str
) -> None:
    server.answers = [answer]
    with pytest.raises(EngineFailed, match=why):
        run(engine, TextRequest.of("hi"))


def test_an_overloaded_provider_is_asked_again(server: StrictServer, engine: AnthropicEngine) -> None:
    server.answers = [error(529, "Overloaded"), GOOD]
    assert run(engine, TextRequest.of("hi"))[0][-1].finish_reason == "stop"
    assert len(server.asked) == 2


def test_a_cancel_closes_the_connection_in_good_time(server: StrictServer, engine: AnthropicEngine) -> None:
    server.answers = [endless(says("x"))]
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    chunks, _ = run(engine, TextRequest.of("hi", n=2), cancel)
    assert [chunk.index for chunk in chunks if chunk.finish_reason == "cancelled"] == [0, 1]
    assert server.left.wait(10)  # a second on an idle machine; the answer itself is endless
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "fields",
    [
        {"sampling": Sampling(temperature=1.5)},
        {"sampling": Sampling(min_p=0.1)},
        {"top_logprobs": 1},
        {"raw_prompt": True},
        {"constraint": Constraint(choice=("a",))},
    ],
)
def test_what_the_protocol_lacks_is_refused(
    server: StrictServer, engine: AnthropicEngine, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unsupported):
        run(engine, TextRequest.of("hi", **fields))
    assert server.asked == []


def test_tokens_are_counted_by_the_service(server: StrictServer, engine: AnthropicEngine) -> None:
    server.answers = [whole({"input_tokens": 12})]
    assert engine.count_tokens(TextRequest.of("hi")) == 12
    assert server.asked[0][0] == "/v1/messages/count_tokens"
