"""Open WebUI as a front end: the calls that its server makes, written down from its source, against a started server.

Source: open-webui/open-webui, `backend/open_webui/routers/{openai,tasks}.py`, `retrieval/utils.py`,
`utils/middleware.py` and `src/lib/apis/openai/index.ts`.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving import Served, create_key, serving

# What aiohttp says of itself, and what is told of a person where ENABLE_FORWARD_USER_INFO_HEADERS is set.
CLIENT = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "User-Agent": "Python/3.11 aiohttp/3.13.2"}
PERSON = {
    "X-OpenWebUI-User-Name": "%E6%9D%8E%E9%9B%B7 Li",
    "X-OpenWebUI-User-Id": "9f1c2a7e-6a0b-4c53-9a5d-0d2f4c1b7e11",
    "X-OpenWebUI-User-Email": "li@example.org",
    "X-OpenWebUI-User-Role": "admin",
    "X-OpenWebUI-Chat-Id": "1d0f1f0e-5d8e-4a3c-8a53-2f7f3f6f9d10",
}
POST = {**CLIENT, **PERSON, "Content-Type": "application/json"}
TITLE = """### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Chat History:
<chat_history>
USER: Name three kinds of tea.
</chat_history>"""
# A tool of an OpenAPI server: its specification has a `type`, and is put under `function` as it is.
TOOL = {
    "type": "function",
    "function": {
        "type": "function",
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Seen:
    """What its middleware takes out of a stream."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.text = ""
        self.usage: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self.error: Any = None
        self.is_done = False
        for line in lines:
            if not line.strip() or not line.startswith("data:"):
                continue
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                self.is_done = True
                continue
            self._take(json.loads(data))

    def _take(self, data: dict[str, Any]) -> None:
        usage = data.get("usage", {}) or {}
        usage.update(data.get("timings", {}))
        self.usage = usage or self.usage
        choices = data.get("choices", [])
        if not choices:
            self.error = data.get("error", {}) or self.error
            return
        delta = choices[0].get("delta", {})
        for call in delta.get("tool_calls") or []:
            known = next((one for one in self.calls if one["index"] == call["index"]), None)
            if known is None:
                call.setdefault("function", {}).setdefault("arguments", "")
                self.calls.append(call)
            else:
                known["function"]["arguments"] += call["function"].get("arguments", "")
        self.text += delta.get("content") or ""


def called(served: Served, headers: dict[str, str]) -> httpx2.Client:
    return httpx2.Client(base_url=served.url, headers=headers, timeout=30)


def streamed(served: Served, body: dict[str, Any], key: str = "none") -> Seen:
    headers = {**POST, "Authorization": f"Bearer {key}"}
    sent = {"stream": True, "stream_options": {"include_usage": True}, **body}
    with called(served, headers) as client, client.stream("POST", "/v1/chat/completions", json=sent) as answer:
        assert answer.status_code == 200, answer.read()
        assert "text/event-stream" in answer.headers["content-type"]
        return Seen(answer.iter_lines())


def posted(served: Served, path: str, body: dict[str, Any], key: str = "none") -> Any:
    with called(served, {**POST, "Authorization": f"Bearer {key}"}) as client:
        return client.post(path, json=body)


@pytest.mark.parametrize("headers", [CLIENT, POST], ids=["list", "verify"])
def test_it_finds_the_models(headers: dict[str, str], echo_server: Served) -> None:
    with called(echo_server, {**headers, "Authorization": "Bearer none"}) as client:
        answer = client.get("/v1/models")
    assert answer.status_code == 200
    found = answer.json()
    assert "error" not in found["data"]
    assert {model.get("name", model["id"]) for model in found["data"]} == {"echo"}


def test_it_streams_a_chat_with_its_usage(echo_server: Served) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": [{"type": "text", "text": "two three 墨"}]},
    ]
    seen = streamed(echo_server, {"model": "echo", "messages": messages})
    assert (seen.text, seen.is_done, seen.error) == ("two three 墨", True, None)
    assert seen.usage["total_tokens"] == seen.usage["prompt_tokens"] + seen.usage["completion_tokens"]


def test_it_asks_for_a_title_for_tags_and_for_what_to_ask_next(echo_server: Served) -> None:
    ask = {"model": "echo", "messages": [{"role": "user", "content": TITLE}], "stream": False}
    for more in ({"max_completion_tokens": 1000}, {}, {"max_completion_tokens": 4}):
        answer = posted(echo_server, "/v1/chat/completions", {**ask, **more})
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"].startswith("### Task")


def test_it_uses_tools_of_a_server(echo_server: Served) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "What is the weather in Paris?"}]
    body = {"model": "echo", "messages": messages, "tools": [TOOL], "tool_choice": "required"}
    (call,) = streamed(echo_server, body).calls
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("get_weather", {"city": ""})
    messages += [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"},
    ]
    seen = streamed(echo_server, {"model": "echo", "messages": messages, "tools": [TOOL]})
    assert (seen.is_done, seen.error) == (True, None)


def test_it_sends_what_a_person_set_for_a_chat(echo_server: Served) -> None:
    chosen = {"temperature": 0.7, "top_p": 0.9, "min_p": 0.05, "seed": 42, "stop": ["\n\n"], "max_tokens": 64}
    chosen |= {"frequency_penalty": 0.1, "presence_penalty": 0.1}
    seen = streamed(echo_server, {"model": "echo", "messages": [{"role": "user", "content": "x"}], **chosen})
    assert seen.text == "x"


def test_what_cannot_be_kept_is_said_in_words_that_it_shows(echo_server: Served) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    asked = [
        ({"messages": [{"role": "user", "content": [picture]}]}, "takes no 'image_url'"),
        ({"messages": [{"role": "user", "content": "x"}], "reasoning_effort": "high"}, "reasons"),
        ({"messages": [{"role": "user", "content": "x"}], "model": "gone"}, "gone"),
    ]
    for body, said in asked:
        answer = posted(echo_server, "/v1/chat/completions", {"model": "echo", "stream": True, **body})
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"] == "application/json"  # it reads JSON, whatever it had asked for
        assert said in answer.json()["error"]["message"]


def test_a_key_is_asked_for_and_who_is_named_in_headers_changes_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    key = create_key(data_dir, "webui", "creator")["key"]
    ask = {"model": "echo", "messages": [{"role": "user", "content": "x"}]}
    with serving(data_dir) as served:
        for wrong in ("", "ink-none-wrong"):
            with called(served, {**POST, "Authorization": f"Bearer {wrong}".strip()}) as client:
                refused = client.get("/v1/models")
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        assert streamed(served, ask, key).text == "x"
        with called(served, {**POST, "Authorization": f"Bearer {key}"}) as client:
            assert client.get("/api/v1/audit").status_code == 403  # X-OpenWebUI-User-Role says admin; the key does not
        assert "li@example.org" not in served.log


def test_an_empty_key_is_none(echo_server: Served) -> None:
    """Embeddings are asked for with `Bearer ` and nothing behind it when no key was given."""
    with closing(HTTPConnection("127.0.0.1", echo_server.port, timeout=15)) as connection:
        connection.request("GET", "/v1/models", headers={**CLIENT, "Authorization": "Bearer "})  # to the letter
        assert connection.getresponse().status == 200


def test_its_pages_do_not_call_the_server_themselves(echo_server: Served) -> None:
    """A "direct connection" is made by the browser, from a page of another origin: such pages get nothing."""
    page = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with called(echo_server, {**page, "Authorization": "Bearer none"}) as client:
        answers = [
            client.options("/v1/chat/completions", headers=preflight),
            client.get("/v1/models"),
            client.post("/v1/chat/completions", json={"model": "echo", "messages": [{"role": "user", "content": "x"}]}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.model
@pytest.mark.slow
class TestRealModels:
    """The same calls, answered by models."""

    def test_a_chat_streams_what_it_says_whole(self, model_server: Served) -> None:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "Name three kinds of tea."}]}
        body |= {"temperature": 0, "seed": 5, "max_tokens": 24}
        seen = streamed(model_server, body)
        whole = posted(model_server, "/v1/chat/completions", {**body, "stream": False}).json()
        assert len(seen.text) > 10
        assert seen.text == whole["choices"][0]["message"]["content"]
        assert seen.usage == whole["usage"]
        assert seen.is_done

    def test_documents_are_embedded_in_one_call(self, model_server: Served) -> None:
        answer = posted(model_server, "/v1/embeddings", {"input": ["tea", "茶", "a tax return"], "model": "embedding"})
        assert answer.status_code == 200, answer.text
        rows = [row["embedding"] for row in answer.json()["data"]]
        assert len({len(row) for row in rows}) == 1
        assert all(abs(sum(value * value for value in row) - 1) < 1e-4 for row in rows)
