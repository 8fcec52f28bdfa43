"""A run as a chat completion: whole, or as a stream of chunks."""

import json
import time
from typing import Any

from fastapi import Request

from inkseal.core.events import Event, Generated
from inkseal.core.types import Chunk, ToolCall
from inkseal.serve.routes._openai_fields import FINISH, usage_body
from inkseal.serve.routes._openai_frames import DONE, OpenAIFrames
from inkseal.serve.routes._outcome import Outcome
from inkseal.serve.sse import quoted


def chat_completion(outcome: Outcome, model: str, num_results: int) -> dict[str, Any]:
    """Returns the body of a finished completion; a withdrawn result is empty and says `content_filter`."""
    return {
        "id": f"chatcmpl-{outcome.run_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [_choice(outcome, index) for index in range(num_results)],
        "usage": usage_body(outcome.usage),
        "inkseal": outcome.field(),
    }


def _choice(outcome: Outcome, index: int) -> dict[str, Any]:
    calls = [] if index in outcome.withdrawn else outcome.calls[index]
    text = outcome.text(index)
    answer: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None, "refusal": None}
    if calls:
        answer["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
            for call in calls
        ]
    return {"index": index, "message": answer, "logprobs": None, "finish_reason": FINISH[outcome.reason(index)]}


def arguments_text(call: ToolCall) -> str:
    """Returns the arguments of a call as JSON."""
    return json.dumps(call.arguments, ensure_ascii=False)


class ChatFrames(OpenAIFrames):
    """Chunks of a chat completion.

    A result's last chunk, with its finish reason, waits until the run is sealed: only then is it known that no check
    withdraws it. The last of all carries the `inkseal` field.
    """

    def __init__(self, http: Request, model: str, num_results: int, *, with_usage: bool) -> None:
        super().__init__(http, model, num_results, with_usage=with_usage)
        self._created = int(time.time())
        self._begun: set[int] = set()
        self._num_calls: dict[int, int] = {}
        self._tail = b',"usage":null}\n\n' if with_usage else b"}\n\n"

    def take(self, event: Event) -> bytes:
        """Returns the chunks for an event."""
        self.outcome.take(event)
        if not isinstance(event, Generated):
            return b""
        chunk = event.chunk
        frames = b""
        if chunk.index not in self._begun:
            self._begun.add(chunk.index)
            frames = self._delta(chunk.index, b'{"role":"assistant","content":"","refusal":null}')
        if chunk.text:
            frames += self._delta(chunk.index, b'{"content":' + quoted(chunk.text) + b"}")
        return frames + self._calls(chunk) if chunk.tool_calls else frames

    def end(self) -> bytes:
        """Returns the finish reasons, the usage if it was asked for, and the end."""
        frames = b"".join(self._finish(index) for index in range(self._num_results))
        if self._with_usage:
            body = self._head() | {"choices": [], "usage": usage_body(self.outcome.usage)}
            frames += b"data: " + json.dumps(body).encode() + b"\n\n"
        return frames + DONE

    def _head(self) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.outcome.run_id}",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
        }

    def _delta(self, index: int, delta: bytes) -> bytes:

        head = self._written
        if not head:
            head = self._written = b"data: " + json.dumps(self._head())[:-1].encode() + b',"choices":[{"index":'
        return b'%b%d,"delta":%b,"logprobs":null,"finish_reason":null}]%b' % (head, index, delta, self._tail)

    def _calls(self, chunk: Chunk) -> bytes:
        frames = b""
        for call in chunk.tool_calls:
            place = self._num_calls.get(chunk.index, 0)
            self._num_calls[chunk.index] = place + 1
            opening = {"index": place, "id": call.id, "type": "function"}
            opening["function"] = {"name": call.name, "arguments": ""}
            rest = {"index": place, "function": {"arguments": arguments_text(call)}}
            for delta in (opening, rest):
                body = json.dumps({"tool_calls": [delta]}, ensure_ascii=False).encode("utf-8", "backslashreplace")
                frames += self._delta(chunk.index, body)
        return frames

    def _finish(self, index: int) -> bytes:
        choice = {"index": index, "delta": {}, "logprobs": None, "finish_reason": FINISH[self.outcome.reason(index)]}
        body: dict[str, Any] = self._head() | {"choices": [choice]}
        if self._with_usage:
            body["usage"] = None
        if index == self._num_results - 1:
            body["inkseal"] = self.outcome.field()
        return b"data: " + json.dumps(body).encode() + b"\n\n"
