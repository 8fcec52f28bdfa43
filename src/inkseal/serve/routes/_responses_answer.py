"""A run as OpenAI's response: whole, or as numbered events in the order that its clients count on."""

import json
import time
from typing import Any

from fastapi import Request

from inkseal.core.errors import Blocked, InksealError
from inkseal.core.events import Event, Generated, Started
from inkseal.core.types import Message, Origin, Part, ToolCall
from inkseal.serve.routes._openai_chat_answer import arguments_text
from inkseal.serve.routes._outcome import Outcome
from inkseal.serve.routes._protocol import told
from inkseal.serve.routes._responses_body import ResponseBody
from inkseal.serve.sse import PING, quoted


def response_body(asked: ResponseBody, outcome: Outcome, status: str, created_at: int) -> dict[str, Any]:
    """Returns the response object; before its end it has no output and no usage."""
    over = status in ("completed", "incomplete")
    reason = outcome.reason() if over else None
    why = {"length": "max_output_tokens", "cancelled": "max_output_tokens", "blocked": "content_filter"}
    body: dict[str, Any] = {
        "id": f"resp_{outcome.run_id}",
        "object": "response",
        "created_at": created_at,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": why[reason]} if status == "incomplete" and reason in why else None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata or {},
        "model": asked.model,
        "output": output_items(outcome) if over else [],
        "parallel_tool_calls": asked.parallel_tool_calls is not False,
        "previous_response_id": asked.previous_response_id,
        "store": asked.store is not False,
        "temperature": asked.temperature,
        "text": _text_config(asked),
        "tool_choice": asked.tool_choice
        if isinstance(asked.tool_choice, str)
        else _dumped(asked.tool_choice) or "auto",
        "tools": [tool.model_dump() for tool in asked.tools or ()],
        "top_p": asked.top_p,
        "truncation": "disabled",
        "usage": _usage(outcome) if over else None,
        "user": asked.user,
    }
    if over:
        body["inkseal"] = outcome.field()
    return body


def output_items(outcome: Outcome) -> list[dict[str, Any]]:
    """Returns the message, if there are words, and then the calls."""
    items: list[dict[str, Any]] = []
    text = outcome.text()
    calls = [] if outcome.withdrawn else outcome.calls[0]
    if text or not calls:
        status = "completed" if outcome.reason() in ("stop", "tool_calls") else "incomplete"
        items.append(message_item(outcome.run_id, text, status))
    return items + [call_item(call, arguments_text(call), "completed") for call in calls]


def message_item(run_id: str, text: str | None, status: str) -> dict[str, Any]:
    """Returns an output message; one that has just begun has no content yet."""
    content = [] if text is None else [text_part(text)]
    return {"type": "message", "id": f"msg_{run_id}", "status": status, "role": "assistant", "content": content}


def text_part(text: str) -> dict[str, Any]:
    """Returns a piece of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(call: ToolCall, arguments: str, status: str) -> dict[str, Any]:
    """Returns a call."""
    item = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name}
    return {**item, "arguments": arguments, "status": status}


def answer_message(outcome: Outcome) -> Message:
    """Returns the answer as a turn, for the conversation to go on."""
    parts = (Part(text=outcome.text(), origin=Origin.ASSISTANT),) if outcome.text() else ()
    return Message(role="assistant", parts=parts, tool_calls=tuple(outcome.calls[0]))


def final_status(outcome: Outcome) -> str:
    """Returns whether the answer is whole."""
    return "completed" if outcome.reason() in ("stop", "tool_calls") else "incomplete"


class ResponseFrames:
    """Events of one response: created, in progress, each item with its parts, completed."""

    def __init__(self, http: Request, asked: ResponseBody) -> None:
        self.outcome = Outcome()
        self.answer: dict[str, Any] = {}
        """The finished response, once `end` was called."""
        self._http = http
        self._asked = asked
        self._created_at = int(time.time())
        self._number = 0
        self._num_items = 0
        self._message_at: int | None = None
        self._delta_head = b""

    def take(self, event: Event) -> bytes:
        """Returns the events for an event of the run."""
        self.outcome.take(event)
        if isinstance(event, Started):
            body = self._body("in_progress")
            return self._event("response.created", response=body) + self._event("response.in_progress", response=body)
        if not isinstance(event, Generated):
            return b""
        chunk = event.chunk
        frames = self._delta(chunk.text) if chunk.text else b""
        for call in chunk.tool_calls:
            frames += self._close_message() + self._call(call)
        return frames

    def ping(self) -> bytes:
        """Returns a comment."""
        return PING

    def end(self) -> bytes:
        """Closes what is open and returns the finished response."""
        frames = b""
        if self._message_at is None and self._num_items == 0:
            frames = self._open_message()
        frames += self._close_message()
        status = final_status(self.outcome)
        self.answer = self._body(status)
        return frames + self._event(f"response.{status}", response=self.answer)

    def fail(self, error: InksealError) -> bytes:
        """Returns the failure; a block is an incomplete response."""
        if isinstance(error, Blocked):
            return self.end()
        refusal = told(self._http, error)
        body = self._body("failed") | {"error": {"code": "server_error", "message": refusal.message}}
        return self._event("response.failed", response=body)

    def _body(self, status: str) -> dict[str, Any]:
        return response_body(self._asked, self.outcome, status, self._created_at)

    def _event(self, kind: str, **fields: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps(body).encode())

    def _delta(self, text: str) -> bytes:
        frames = b""
        if self._message_at is None:
            frames = self._open_message()
        number, self._number = self._number, self._number + 1
        return frames + b'%b%b,"sequence_number":%d}\n\n' % (self._delta_head, quoted(text), number)

    def _open_message(self) -> bytes:
        self._message_at, self._num_items = self._num_items, self._num_items + 1
        item = message_item(self.outcome.run_id, None, "in_progress")
        place = {"item_id": item["id"], "output_index": self._message_at, "content_index": 0}
        kind = "response.output_text.delta"
        head = json.dumps({"type": kind, **place, "logprobs": []})[:-1].encode()
        self._delta_head = b"event: %b\ndata: %b" % (kind.encode(), head) + b',"delta":'
        added = self._event("response.output_item.added", output_index=self._message_at, item=item)
        return added + self._event("response.content_part.added", **place, part=text_part(""))

    def _close_message(self) -> bytes:
        if self._message_at is None:
            return b""
        at, self._message_at = self._message_at, None
        text = self.outcome.text()
        status = "incomplete" if self.outcome.reason() in ("length", "cancelled", "blocked") else "completed"
        item = message_item(self.outcome.run_id, text, status)
        place = {"item_id": item["id"], "output_index": at, "content_index": 0}
        frames = self._event("response.output_text.done", **place, text=text, logprobs=[])
        frames += self._event("response.content_part.done", **place, part=text_part(text))
        return frames + self._event("response.output_item.done", output_index=at, item=item)

    def _call(self, call: ToolCall) -> bytes:
        at, self._num_items = self._num_items, self._num_items + 1
        arguments = arguments_text(call)
        place = {"item_id": f"fc_{call.id}", "output_index": at}
        frames = self._event("response.output_item.added", output_index=at, item=call_item(call, "", "in_progress"))
        frames += self._event("response.function_call_arguments.delta", **place, delta=arguments)
        frames += self._event("response.function_call_arguments.done", **place, name=call.name, arguments=arguments)
        item = call_item(call, arguments, "completed")
        return frames + self._event("response.output_item.done", output_index=at, item=item)


def _dumped(model: Any) -> Any:
    return model.model_dump() if model is not None else None


def _text_config(asked: ResponseBody) -> dict[str, Any]:
    wanted = asked.text.format if asked.text else None
    return {"format": wanted.model_dump(by_alias=True, exclude_none=True) if wanted else {"type": "text"}}


def _usage(outcome: Outcome) -> dict[str, Any]:
    usage = outcome.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
