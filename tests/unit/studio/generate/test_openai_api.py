"""The backend for OpenAI's protocol against a strict fake: what it sends, what it reads, and what goes wrong."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog.providers import remote_models
from inkseal.core.config import Provider
from inkseal.core.errors import (
    ContextTooLong,
    EngineFailed,
    InksealError,
    InvalidRequest,
    ModelMissing,
    TrustError,
    Unsupported,
)
from inkseal.core.events import ignore
from inkseal.core.protocols import EmbeddingEngine, GenerativeEngine, LocalModel
from inkseal.core.types import Chunk, Message, ToolCall, Usage
from inkseal.modalities.text.request import Constraint, Sampling, TextRequest, ToolSpec
from inkseal.studio.generate.backends.openai_api import OpenaiApi
from inkseal.studio.generate.remote.client import RemoteConfig
from strict_server import StrictServer, endless, error, silent, stream, strict_server, whole

KEY = "sk-test-1234567890abcdef"
NEVER = threading.Event()
FAST: dict[str, Any] = {"first_wait_seconds": 0.01, "read_seconds": 2, "max_answer_bytes": 25_000}


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with strict_server() as running:
        yield running


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


def model_at(base_url: str, **fields: Any) -> LocalModel:
    given = {"kind": "openai_api", "base_url": base_url, "allow_private": True, "engine": "openai"}
    models = {"m": {"task": fields.pop("task", "generate"), "context_tokens": fields.pop("context_tokens", 0)}}
    return remote_models({"far": Provider.model_validate(given | {"models": models} | fields)})["far/m"]


def engine_at(base_url: str, **fields: Any) -> GenerativeEngine:
    engine = OpenaiApi(RemoteConfig(**FAST)).load(model_at(base_url, **fields), 1, ignore, NEVER)
    assert isinstance(engine, GenerativeEngine)
    return engine


def run(engine: GenerativeEngine, request: TextRequest, cancel: threading.Event = NEVER) -> tuple[list[Chunk], Usage]:
    chunks: list[Chunk] = []
    going = engine.generate(request, cancel)
    while True:
        try:
            chunks.append(next(going))
        except StopIteration as end:
            return chunks, end.value


def text(chunks: list[Chunk], index: int = 0) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.index == index)


def delta(content: str | None = None, index: int = 0, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "model": "m-2026",
        "choices": [{"index": index, "delta": {"content": content} | more, "finish_reason": reason}],
    }


USAGE = {
    "choices": [],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}},
}
GOOD = stream(delta("你"), delta("好"), delta(reason="stop"), USAGE, "[DONE]")


def test_a_stream_becomes_chunks_counts_and_facts(server: StrictServer) -> None:
    server.answers = [GOOD]
    chunks, usage = run(engine_at(server.base_url), TextRequest.of("hi", seed=5))
    assert text(chunks) == "你好"
    assert [chunk.finish_reason for chunk in chunks] == [None, None, "stop"]
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (7, 3, 2)
    assert sum(chunk.num_tokens for chunk in chunks) == 3
    assert usage.reported == {"model": "m-2026"}


CALLED = stream(
    delta(tool_calls=[{"index": 0, "function": {"name": "look", "arguments": "{}"}}]),
    delta(reason="tool_calls"),
    USAGE,
    "[DONE]",
)


def test_a_forced_tool_that_was_not_called_is_an_error(server: StrictServer) -> None:
    server.answers = [GOOD]
    with pytest.raises(EngineFailed, match="called no tool"):
        run(engine_at(server.base_url), TextRequest.of("hi", tools=(ToolSpec(name="look"),), tool_choice="look"))


def test_what_is_asked_is_sent_in_their_words(server: StrictServer) -> None:
    server.answers = [CALLED]
    call = ToolCall(id="c1", name="look", arguments={"at": "月"})
    request = TextRequest.of(
        "hi",
        system="be brief",
        seed=2**31 + 5,
        max_tokens=9,
        stop=("END",),
        sampling=Sampling(temperature=0.5, top_p=0.9, presence_penalty=1, logit_bias={7: -3}),
        tools=(ToolSpec(name="look", parameters={"type": "object", "properties": {"at": {"type": "string"}}}),),
        tool_choice="look",
        constraint=Constraint(json_schema={"type": "object"}),
    )
    more = (
        Message(role="assistant", tool_calls=(call,)),
        Message.of("tool", "full").model_copy(update={"tool_call_id": "c1"}),
    )
    run(engine_at(server.base_url), request.model_copy(update={"messages": request.messages + more}))
    path, _, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "月"}'}}],
        },
        {"role": "tool", "content": "full", "tool_call_id": "c1"},
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert body["tools"][0]["function"]["parameters"]["properties"] == {"at": {"type": "string"}}
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    asked = {name: body[name] for name in ("max_completion_tokens", "temperature", "top_p", "presence_penalty", "stop")}
    assert asked == {
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "presence_penalty": 1,
        "stop": ["END"],
    }
    assert (body["logit_bias"], body["n"], body["seed"]) == ({"7": -3}, 1, 5)
    assert "top_k" not in body


def test_several_results_come_in_one_call_or_one_by_one(server: StrictServer) -> None:
    server.answers = [
        stream(delta("a", 0), delta("b", 1), delta(reason="stop", index=1), delta(reason="length"), USAGE, "[DONE]"),
        GOOD,
    ]
    chunks, usage = run(engine_at(server.base_url), TextRequest.of("hi", n=2, seed=1))
    assert (text(chunks, 0), text(chunks, 1), usage.completion_tokens) == ("a", "b", 3)
    chunks, usage = run(engine_at(server.base_url, engine="ollama"), TextRequest.of("hi", n=2, seed=1))
    assert (text(chunks, 0), text(chunks, 1), usage.completion_tokens, usage.prompt_tokens) == ("你好", "你好", 6, 7)
    assert [body.get("seed") for _, _, body in server.asked] == [1, 1, 2]


def test_tool_calls_are_put_together_from_pieces(server: StrictServer) -> None:
    def piece(place: int, arguments: str, **more: Any) -> dict[str, Any]:
        return delta(
            tool_calls=[
                {"index": place, "function": {"arguments": arguments} | more},
            ]
        )

    server.answers = [
        stream(
            piece(0, '{"ci', name="weather"),
            piece(1, "", name="time"),
            piece(0, 'ty": "上海"}'),
            delta(reason="tool_calls"),
            USAGE,
            "[DONE]",
        )
    ]
    tools = (ToolSpec(name="weather"), ToolSpec(name="time"))
    chunks, _ = run(engine_at(server.base_url), TextRequest.of("hi", tools=tools))
    assert [(call.name, call.arguments) for call in chunks[-1].tool_calls] == [
        ("weather", {"city": "上海"}),
        ("time", {}),
    ]
    assert chunks[-1].finish_reason == "tool_calls"
    assert all(call.id for call in chunks[-1].tool_calls)


def test_a_busy_provider_is_given_the_time_it_asks_for(server: StrictServer) -> None:
    server.answers = [error(429, "busy", Retry_After="1"), error(503), GOOD]
    begun = time.monotonic()
    assert text(run(engine_at(server.base_url), TextRequest.of("hi"))[0]) == "你好"
    assert 1 <= time.monotonic() - begun < 10
    assert len(server.asked) == 3


def test_patience_has_an_end(server: StrictServer) -> None:
    server.answers = [error(429, "busy", Retry_After="3600")]
    with pytest.raises(EngineFailed, match="429, busy"):
        run(engine_at(server.base_url), TextRequest.of("hi"))
    assert len(server.asked) == 1
    server.answers = [error(500)]
    with pytest.raises(EngineFailed, match="500"):
        run(engine_at(server.base_url), TextRequest.of("hi"))
    assert len(server.asked) == 1 + 4


def test_a_cancel_ends_the_wait_for_a_busy_provider(server: StrictServer) -> None:
    server.answers = [error(429, "busy", Retry_After="20")]
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    chunks, usage = run(engine_at(server.base_url), TextRequest.of("hi"), cancel)
    assert time.monotonic() - begun < 10  # the provider asked for 20
    assert [chunk.finish_reason for chunk in chunks] == ["cancelled"]
    assert usage.completion_tokens == 0


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "temperature is odd", InvalidRequest),
        (400, "maximum context length is 4096 tokens", ContextTooLong),
        (401, f"Incorrect API key provided: {KEY}", TrustError),
        (403, f"{KEY[:14]}*** may not", TrustError),
        (404, "no such model", ModelMissing),
        (302, "", EngineFailed),
    ],
)
def test_refusals_say_why_without_the_key_and_are_not_repeated(
    server: StrictServer, key_file: Path, status: int, message: str, kind: type[InksealError]
) -> None:
    server.answers = [error(status, message)]
    with pytest.raises(kind) as caught:
        run(engine_at(server.base_url, key_file=str(key_file)), TextRequest.of("hi"))
    assert type(caught.value) is kind
    assert KEY[:12] not in str(caught.value)
    assert len(server.asked) == 1
    assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"


def test_the_key_is_in_no_log_no_text_and_no_fact(
    server: StrictServer, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [GOOD]
    caplog.set_level(logging.DEBUG)
    backend = OpenaiApi(RemoteConfig())
    model = model_at(server.base_url, key_file=str(key_file))
    engine = backend.load(model, 1, ignore, NEVER)
    assert isinstance(engine, GenerativeEngine)
    run(engine, TextRequest.of("hi"))
    client = engine._client  # type: ignore[attr-defined]
    seen = caplog.text + repr(vars(engine)) + repr(vars(client)) + str(backend.facts()) + model.model_dump_json()
    assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"
    assert KEY not in seen


def test_a_key_that_others_can_read_is_not_used(server: StrictServer, key_file: Path, tmp_path: Path) -> None:
    key_file.chmod(0o640)
    with pytest.raises(TrustError, match="others"):
        engine_at(server.base_url, key_file=str(key_file))
    for content in ("", "two words", "x" * 5000, "ключ"):
        key_file.chmod(0o600)
        key_file.write_text(content)
        with pytest.raises(TrustError):
            engine_at(server.base_url, key_file=str(key_file))
    with pytest.raises(TrustError, match="cannot be read"):
        engine_at(server.base_url, key_file=str(tmp_path / "none"))


def test_a_key_from_the_environment(server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers = [GOOD]
    with pytest.raises(TrustError):
        engine_at(server.base_url, key_env="FAR_KEY")
    monkeypatch.setenv("FAR_KEY", KEY)
    run(engine_at(server.base_url, key_env="FAR_KEY"), TextRequest.of("hi"))
    assert server.asked[0][1]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (stream(delta("half")), "broke off"),
        (stream(delta("half"), USAGE, "[DONE]"), "broke off"),
        (stream(delta("half"), "{", "[DONE]"), "JSON"),
        (stream(delta("half"), "[1]", "[DONE]"), "JSON"),
        (stream(delta("half"), "[" * 100_00), "JSON"),
        (stream({"choices": [3]}), "malformed"),
        (stream({"choices": [{"delta": {"content": 5}}]}), "no text"),
        (stream(delta("x"), {"error": {"message": "out of memory"}}), "out of memory"),
        (stream(delta("x" * 30_000), "[DONE]"), "more than is read"),
        (stream(*[delta("x" * 500)] * 60, "[DONE]"), "more than is read"),
        (stream(delta("x"), kind="text/html"), "text/html"),
        (
            stream(
                delta(tool_calls=[{"index": 0, "function": {"name": "t", "arguments": "{"}}], reason="stop"), "[DONE]"
            ),
            "tool",
        ),
        (
            lambda talk: talk.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata:"
            ),
            "Protocol",
        ),
        (lambda talk: time.sleep(4), "ReadTimeout"),
    ],
)
def test_what_goes_wrong_in_a_stream_is_said(server: StrictServer, answer: Any, why: str) -> None:
    server.answers = [answer]
    engine = OpenaiApi(RemoteConfig(**FAST | {"retries": 0})).load(model_at(server.base_url), 1, ignore, NEVER)
    assert isinstance(engine, GenerativeEngine)
    with pytest.raises(EngineFailed, match=why):
        run(engine, TextRequest.of("hi"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [endless(delta("x")), silent], ids=["talking", "silent"])
def test_a_cancel_closes_the_connection_in_good_time(server: StrictServer, answer: Any) -> None:
    server.answers = [answer]
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    chunks, _ = run(engine_at(server.base_url), TextRequest.of("hi"), cancel)
    assert chunks[-1].finish_reason == "cancelled"
    assert server.left.wait(10)  # a second on an idle machine; the answer itself is endless
    assert time.monotonic() - begun < 10


def test_many_streams_at_once_do_not_wait_for_one_another(server: StrictServer) -> None:
    server.answers = [endless(delta("x"))]
    engine = engine_at(server.base_url)
    streams = [engine.generate(TextRequest.of("hi"), NEVER) for _ in range(24)]
    assert [next(going).text for going in streams] == ["x"] * 24
    for going in streams:
        going.close()


def test_leaving_the_stream_closes_the_connection(server: StrictServer) -> None:
    server.answers = [endless(delta("x"))]
    going = engine_at(server.base_url).generate(TextRequest.of("hi"), NEVER)
    next(going)
    going.close()
    assert server.left.wait(10)


@pytest.mark.parametrize(
    ("engine", "fields"),
    [
        ("openai", {"sampling": Sampling(top_k=5)}),
        ("openai", {"top_logprobs": 2}),
        ("openai", {"raw_prompt": True}),
        ("openai", {"stop": ("a", "b", "c", "d", "e")}),
        ("openai", {"constraint": Constraint(regex="a+")}),
        ("", {"sampling": Sampling(logit_bias={1: 1})}),
        ("ollama", {"tools": (ToolSpec(name="t"),), "tool_choice": "t"}),
    ],
)
def test_what_the_engine_lacks_is_refused_before_anything_is_sent(
    server: StrictServer, engine: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unsupported):
        run(engine_at(server.base_url, engine=engine), TextRequest.of("hi", **fields))
    assert server.asked == []


def test_a_closed_network_is_entered_only_when_the_settings_say_so(server: StrictServer) -> None:
    server.answers = [GOOD]
    with pytest.raises(EngineFailed, match="closed network"):
        run(engine_at(server.base_url, allow_private=False), TextRequest.of("hi"))
    assert server.asked == []


def test_vectors_keep_their_order_and_have_length_one(server: StrictServer) -> None:
    rows = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
    server.answers = [whole({"data": rows})]
    engine = OpenaiApi(RemoteConfig()).load(model_at(server.base_url, task="embed"), 1, ignore, NEVER)
    assert isinstance(engine, EmbeddingEngine)
    assert abs(engine.embed(["a", "b"]) - [[0.6, 0.8], [0.0, 1.0]]).max() < 1e-6
    for bad in (
        {"data": rows[:1]},
        {"data": [{"index": 0, "embedding": [0, 0]}, rows[0]]},
        {"data": [rows[0], rows[0]]},
        {},
    ):
        server.answers = [whole(bad)]
        with pytest.raises(EngineFailed):
            engine.embed(["a", "b"])


def test_a_closed_engine_says_so(server: StrictServer) -> None:
    engine = engine_at(server.base_url)
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        run(engine, TextRequest.of("hi"))
