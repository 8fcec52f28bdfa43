"""A run as Anthropic's message: whole, or as its events."""

import json
from typing import Any

from fastapi import Request

from inkseal.core.errors import Blocked, InksealError
from inkseal.core.events import Event, Generated
from inkseal.core.types import ToolCall
from inkseal.serve.errors import Refusal
from inkseal.serve.routes._openai_chat_answer import arguments_text
from inkseal.serve.routes._outcome import Outcome
from inkseal.serve.routes._protocol import told
from inkseal.serve.sse import quoted

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "blocked": "refusal",
    "cancelled": "max_tokens",  # the time was over: cut short, as by a limit
}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error_body(request: Request, refusal: Refusal) -> dict[str, Any]:
    """Returns an error as Anthropic's clients read it; `code` and `param` are ours."""
    kind = _TYPES.get(refusal.status, "invalid_request_error" if refusal.status < 500 else "api_error")
    error = {"type": kind, "message": refusal.message, "code": refusal.code, "param": refusal.param}
    return {"type": "error", "error": error, "request_id": request.scope.get("state", {}).get("request_id")}


def message(outcome: Outcome, model: str) -> dict[str, Any]:
    """Returns the body of a finished message."""
    text = outcome.text()
    calls = [] if outcome.withdrawn else outcome.calls[0]
    content: list[dict[str, Any]] = [{"type": "text", "text": text, "citations": None}] if text or not calls else []
    content += [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in calls]
    return {
        "id": f"msg_{outcome.run_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        **_stop(outcome),
        "usage": _usage(outcome),
        "inkseal": outcome.field(),
    }


class MessageFrames:
    """Events of one message; what they end with waits until the run is sealed.

    Args:
        prompt_tokens: the exact count, which the protocol wants before the first word.
    """

    def __init__(self, http: Request, model: str, prompt_tokens: list[int]) -> None:
        self.outcome = Outcome()
        self._http = http
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._begun = False
        self._num_blocks = 0
        self._in_text = False

    def take(self, event: Event) -> bytes:
        """Returns the events for an event of the run."""
        self.outcome.take(event)
        if not isinstance(event, Generated):
            return b""
        frames = self._begin()
        if event.chunk.text:
            if not self._in_text:
                frames += self._open({"type": "text", "text": ""})
                self._in_text = True
            frames += b'%b"index":%d,"delta":{"type":"text_delta","text":%b}}\n\n' % (
                b'event: content_block_delta\ndata: {"type":"content_block_delta",',
                self._num_blocks - 1,
                quoted(event.chunk.text),
            )
        for call in event.chunk.tool_calls:
            frames += self._close_text() + self._call(call)
        return frames

    def ping(self) -> bytes:
        """Returns the protocol's own sign of life."""
        return _event("ping")

    def end(self) -> bytes:
        """Returns the end of the text, the reason with the usage, and the stop."""
        frames = self._begin()
        if not self._num_blocks:
            frames += self._open({"type": "text", "text": ""})
            self._in_text = True
        frames += self._close_text()
        usage = _usage(self.outcome)
        frames += _event("message_delta", delta=_stop(self.outcome), usage=usage, inkseal=self.outcome.field())
        return frames + _event("message_stop")

    def fail(self, error: InksealError) -> bytes:
        """Returns an error event; a block is no error, but a refusal."""
        if isinstance(error, Blocked):
            return self.end()
        body = error_body(self._http, told(self._http, error))
        return b"event: error\ndata: %b\n\n" % json.dumps(body).encode()

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        start = message(Outcome(), self._model)
        del start["inkseal"]
        start |= {"id": f"msg_{self.outcome.run_id}", "content": [], "stop_reason": None, "stop_sequence": None}
        start["usage"] |= {"input_tokens": self._prompt_tokens[0]}
        return _event("message_start", message=start)

    def _open(self, block: dict[str, Any]) -> bytes:
        self._num_blocks += 1
        return _event("content_block_start", index=self._num_blocks - 1, content_block=block)

    def _close_text(self) -> bytes:
        if not self._in_text:
            return b""
        self._in_text = False
        return _event("content_block_stop", index=self._num_blocks - 1)

    def _call(self, call: ToolCall) -> bytes:
        frames = self._open({"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        at = self._num_blocks - 1
        delta = {"type": "input_json_delta", "partial_json": arguments_text(call)}
        return frames + _event("content_block_delta", index=at, delta=delta) + _event("content_block_stop", index=at)


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


def _stop(outcome: Outcome) -> dict[str, Any]:
    stopped_by = outcome.stops.get(0) or None
    reason = "stop_sequence" if stopped_by and outcome.reason() == "stop" else _REASONS[outcome.reason()]
    return {"stop_reason": reason, "stop_sequence": stopped_by if reason == "stop_sequence" else None}


def _usage(outcome: Outcome) -> dict[str, Any]:
    return {
        "input_tokens": outcome.usage.prompt_tokens,
        "output_tokens": outcome.usage.completion_tokens,
        "cache_read_input_tokens": outcome.usage.cached_tokens,
        "cache_creation_input_tokens": None,
    }
