"""What attackers and mistaken clients send to the compatible routes, and what they must get."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from serving import Served, serving, wait_until

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def client(echo_server: Served) -> Iterator[httpx2.Client]:
    with echo_server.client() as made:
        yield made


def refused(client: httpx2.Client, body: dict[str, Any], path: str = CHAT, status: int = 400) -> dict[str, Any]:
    """Sends the body; returns the error, which must have the shape of the protocol and tell nothing of the machine."""
    begun = time.monotonic()
    answer = client.post(path, json={"model": "echo", **body})
    assert answer.status_code == status, answer.text[:500]
    assert time.monotonic() - begun < 3
    found = answer.json()
    error: dict[str, Any] = found["error"]
    if path.startswith("/v1/messages"):
        assert found["type"] == "error"
        assert error["type"].endswith("_error")
    else:
        assert set(error) == {"message", "type", "param", "code"}
    assert len(answer.content) < 4096
    assert not any(word in answer.text for word in ("Traceback", "site-packages", "/data", ".py"))
    assert client.get("/health").status_code == 200
    return error


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([{"role": "wizard", "content": "x"}], "messages.0.role"),
        ([{"role": "user", "content": None}], "messages.0.content"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "tool", "content": "x"}], "messages.0.tool_call_id"),
        ([{"role": "user", "content": "x"}] * 100_000, None),  # more keys than any body may have
        ([{"role": "user", "content": "x"}] * 3_000, "messages"),
        ("x", "messages"),
        (None, "messages"),
    ],
)
def test_fault_5_messages_that_are_none(client: httpx2.Client, messages: Any, param: str | None) -> None:
    assert refused(client, {"messages": messages})["param"] == param


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 10**9),
        ("n", 0),
        ("max_tokens", -1),
        ("max_tokens", 0),
        ("max_tokens", 10**12),
        ("max_completion_tokens", 10**12),
        ("top_logprobs", 1000),
        ("logprobs", True),
        ("temperature", 1e9),
        ("temperature", -1),
        ("top_p", 2),
        ("seed", 2**70),
        ("seed", -1),
        ("presence_penalty", 1e9),
        ("logit_bias", {"4294967296": 1}),
        ("logit_bias", {"-1": 1}),
        ("logit_bias", {"x": 1}),
        ("logit_bias", {"5": 1e9}),
        ("logit_bias", {str(i): 1 for i in range(50_000)}),
        ("best_of", 3),
    ],
)
def test_fault_6_numbers_out_of_range(client: httpx2.Client, field: str, value: Any) -> None:
    error = refused(client, {"messages": HELLO, field: value})
    assert field in (error["param"] or error["message"])


def test_fault_6_what_the_engine_cannot_do_is_said(client: httpx2.Client) -> None:
    assert "probabilities" in refused(client, {"messages": HELLO, "logit_bias": {"5": 1}})["message"]


def test_fault_6_on_the_other_routes(client: httpx2.Client) -> None:
    assert refused(client, {"prompt": "x", "best_of": 3}, "/v1/completions")["param"] == "best_of"
    assert refused(client, {"prompt": "x", "logprobs": 5}, "/v1/completions")["param"] == "logprobs"
    assert refused(client, {"input": "x", "max_output_tokens": -1}, "/v1/responses")["param"] == "max_output_tokens"
    ask = {"messages": HELLO, "max_tokens": 10**12}
    assert refused(client, ask, "/v1/messages")["param"] == "max_tokens"
    assert refused(client, {"messages": HELLO, "max_tokens": 9, "temperature": 9}, "/v1/messages")


def test_fault_6_no_number_is_no_number(client: httpx2.Client) -> None:
    body = b'{"model": "echo", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}'
    answer = client.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("stop", ["", [""], ["x"] * 100_000, ["x", ""], "y" * 5000, [["x"]], 7])
def test_fault_7_stop_strings_that_are_none(client: httpx2.Client, stop: Any) -> None:
    assert refused(client, {"messages": HELLO, "stop": stop})["param"].startswith("stop")
    body = {"messages": HELLO, "max_tokens": 9, "stop_sequences": stop}
    assert refused(client, body, "/v1/messages")["param"].startswith("stop_sequences")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"messages": HELLO}),
        ("/v1/completions", {"prompt": "x"}),
        ("/v1/responses", {"input": "x"}),
        ("/v1/embeddings", {"input": "x"}),
        ("/v1/messages", {"messages": HELLO, "max_tokens": 9}),
        ("/v1/messages/count_tokens", {"messages": HELLO}),
        ("/v1/moderations", {"input": "x"}),
    ],
)
def test_fault_8_unknown_fields_and_models_are_refused_everywhere(
    client: httpx2.Client, path: str, body: dict[str, Any]
) -> None:
    error = refused(client, {**body, "nonsense": 1}, path)
    assert (error["code"], error["param"]) == ("unknown_parameter", "nonsense")
    if path != "/v1/moderations":
        for name in ("nix", "../../etc/passwd", "GPT-4", "a\u202eb", "tiny"):
            error = refused(client, {**body, "model": name}, path, 404)
            assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_fault_8_unknown_models_by_address(client: httpx2.Client) -> None:
    for name in ("nix", "..%2f..%2fetc%2fpasswd", "meta/llama"):
        answer = client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_fault_9_what_exceeds_the_context(client: httpx2.Client) -> None:
    long = [{"role": "user", "content": "a b c d " * 20_000}]
    error = refused(client, {"messages": long, "max_tokens": 100_000})
    assert error["code"] == "context_length_exceeded"
    body = {"messages": long, "max_tokens": 100_000, "stream": True}
    assert refused(client, body, "/v1/messages")["code"] == "context_length_exceeded"


def schema_format(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


@pytest.mark.parametrize(
    "wanted",
    [{"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}}, {"type": "xml"}, {}],
)
def test_fault_12_a_schema_that_is_missing(client: httpx2.Client, wanted: dict[str, Any]) -> None:
    assert refused(client, {"messages": HELLO, "response_format": wanted})["param"].startswith("response_format")


def test_fault_12_on_the_other_routes(client: httpx2.Client) -> None:
    body = {"input": "x", "text": {"format": {"type": "json_schema", "name": "x"}}}
    assert refused(client, body, "/v1/responses")["code"] == "missing_required_parameter"
    ask = {"messages": HELLO, "max_tokens": 9, "output_config": {"format": {"type": "json_schema"}}}
    assert refused(client, ask, "/v1/messages")["code"] == "missing_required_parameter"


HOSTILE = {
    "catastrophic pattern": {"type": "string", "pattern": "(a+)+$" * 30},
    "endless repeat": {"type": "string", "pattern": "a{1,1000000}"},
    "look-around": {"type": "string", "pattern": "(?=a)b"},
    "reference to itself": {"$ref": "#"},
    "reference in a circle": {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "reference to a file": {"$ref": "file:///etc/passwd"},
    "reference to the network": {"$ref": "http://169.254.169.254/latest"},
    "a megabyte": {"type": "string", "enum": ["x" * 1000] * 1000},
    "too deep": json.loads('{"type": "array", "items": ' * 40 + "{}" + "}" * 40),
    "no schema": {"type": "wizard"},
}

HARMLESS = {"catastrophic pattern"}  # to whoever backtracks; the engine's automaton does not


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_13_hostile_schemas_are_refused_and_nobody_waits(model_server: Served, name: str) -> None:
    with model_server.client() as client:
        body = {"messages": HELLO, "model": "tiny", "max_tokens": 8, "response_format": schema_format(HOSTILE[name])}
        waits: list[float] = []
        over = threading.Event()

        def watch() -> None:
            with model_server.client() as other:
                while not waits or not over.is_set():
                    begun = time.monotonic()
                    assert other.get("/v1/models").status_code == 200
                    waits.append(time.monotonic() - begun)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            answer = client.post(CHAT, json=body)
        finally:
            over.set()
            watcher.join()
        assert answer.status_code == (200 if name in HARMLESS else 400), answer.text[:300]
        if name not in HARMLESS:
            assert answer.json()["error"]["type"] == "invalid_request_error"
        assert max(waits) < 5


@pytest.mark.parametrize("field", ["chat_template", "chat_template_kwargs"])
def test_fault_14_no_request_brings_a_template(client: httpx2.Client, field: str) -> None:
    error = refused(client, {"messages": HELLO, field: {"x": "{{ 1 }}"}})
    assert (error["code"], error["param"]) == ("unsupported_parameter", field)
    assert refused(client, {"prompt": "x", field: "{{ 1 }}"}, "/v1/completions")["param"] == field


def call_of(name: str, arguments: str) -> list[dict[str, Any]]:
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return [*HELLO, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "1", "content": "x"}]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("f", "{"),
        ("f", "[]"),
        ("f", "7"),
        ("f", '{"x": ' + "[" * 100_000),
        ("f", '{"x": "' + "y" * 1_000_000 + '"}'),
        ("../../x", "{}"),
        ("f\n", "{}"),
        ("", "{}"),
        ("n" * 65, "{}"),
    ],
)
def test_fault_17_tool_calls_that_are_none(client: httpx2.Client, name: str, arguments: str) -> None:
    assert refused(client, {"messages": call_of(name, arguments)})["param"].startswith("messages.1.tool_calls.0")


@pytest.mark.parametrize("name", ["../../x", "", "a b", "n" * 65, "x\u0000"])
def test_fault_17_tools_with_such_names(client: httpx2.Client, name: str) -> None:
    tool = {"type": "function", "function": {"name": name}}
    refused(client, {"messages": HELLO, "tools": [tool]})
    refused(client, {"messages": HELLO, "max_tokens": 9, "tools": [{"name": name}]}, "/v1/messages")
    refused(client, {"input": "x", "tools": [{"type": "function", "name": name}]}, "/v1/responses")


def test_fault_17_ten_megabytes_of_arguments(echo_server: Served) -> None:
    with echo_server.client() as client:
        answer = client.post(
            CHAT, json={"model": "echo", "messages": call_of("f", '{"x": "' + "y" * 10_000_000 + '"}')}
        )
        assert answer.status_code == 413
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,!!!", "data:image/png;base64," + "A" * 3_000_000, "data:,x", "http://127.0.0.1/x"]
)
def test_fault_23_pictures_by_address_are_neither_read_nor_fetched(client: httpx2.Client, url: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    error = refused(client, {"messages": [{"role": "user", "content": [part]}]})
    assert (error["code"], error["param"]) == ("unsupported_content", "messages.0.content.0")
    block = {"type": "image", "source": {"type": "url", "url": url}}
    body = {"messages": [{"role": "user", "content": [block]}], "max_tokens": 9}
    assert refused(client, body, "/v1/messages")["code"] == "unsupported_content"
    item = {"role": "user", "content": [{"type": "input_image", "image_url": url}]}
    assert refused(client, {"input": [item]}, "/v1/responses")["code"] == "unsupported_content"


def running(served: Served) -> float:
    with served.client() as client:
        for line in client.get("/metrics").text.splitlines():
            if line.startswith("inkseal_jobs_running"):
                return float(line.split()[-1])
    raise AssertionError("no such metric")


@pytest.mark.parametrize("stream", [True, False])
def test_fault_60_a_client_that_leaves_stops_its_generation(slow_server: Served, stream: bool) -> None:
    long = [{"role": "user", "content": "word " * 3000}]  # a minute of it
    body = {"model": "echo", "messages": long, "stream": stream, "max_tokens": 3000}
    with slow_server.client() as client:
        if stream:
            with client.stream("POST", CHAT, json=body) as answer:
                lines = answer.iter_lines()  # kept: the client leaves when it goes
                assert next(lines)
                assert running(slow_server) == 1
        else:
            with pytest.raises(httpx2.ReadTimeout):
                client.post(CHAT, json=body, timeout=10.0)  # long enough for the prompt's checks and some words
    wait_until(lambda: not running(slow_server), 5)
    with slow_server.client() as client:
        wait_until(lambda: client.get("/api/v1/runs", params={"limit": 1}).json()[0]["status"] != "running")
        newest = client.get("/api/v1/runs", params={"limit": 1}).json()[0]
    assert 0 < newest["usage"]["completion_tokens"] < 2000


def test_fault_61_a_huge_prompt_leaves_others_their_pace(slow_server: Served) -> None:
    gaps: list[float] = []
    begun = threading.Event()

    def read() -> None:
        body = {"model": "echo", "messages": [{"role": "user", "content": "word " * 150}], "stream": True}
        with slow_server.client() as client, client.stream("POST", CHAT, json=body) as answer:
            last = time.monotonic()
            for line in answer.iter_lines():
                begun.set()
                if line.startswith("data"):
                    gaps.append(time.monotonic() - last)
                    last = time.monotonic()

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait(10)
    huge = [{"role": "user", "content": "lorem ipsum " * 16_000}]
    with slow_server.client() as client:
        answer = client.post(CHAT, json={"model": "echo", "messages": huge, "max_tokens": 1})
    reader.join()
    assert answer.status_code == 200, answer.text[:300]
    assert max(gaps) < 5


def test_the_log_has_none_of_the_words(echo_server: Served, client: httpx2.Client) -> None:
    secret = "zanzibar-giraffe-42"
    client.post(CHAT, json={"model": "echo", "messages": [{"role": "user", "content": secret}]})
    refused(client, {"messages": [{"role": "user", "content": secret}], "temperature": secret})
    assert secret not in echo_server.log


def test_a_reader_that_stops_reading_does_not_stop_the_server(tmp_path: Any) -> None:
    with serving(tmp_path / "data") as served, served.client() as client:
        body = {"model": "echo", "messages": [{"role": "user", "content": "word " * 30_000}], "stream": True}
        with client.stream("POST", CHAT, json={**body, "max_tokens": 40_000}) as answer:
            next(answer.iter_lines())
            with served.client() as other:
                for _ in range(5):
                    assert other.post(CHAT, json={"model": "echo", "messages": HELLO}).status_code == 200
