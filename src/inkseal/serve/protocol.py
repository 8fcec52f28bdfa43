"""HTTP/1.1 as uvicorn speaks it over h11, with a time limit for heads and errors as JSON."""

import asyncio
import json
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from inkseal.core.language import say

HEAD_BYTES = 64 << 10


class Protocol(H11Protocol):
    """One connection."""

    header_seconds = 10.0
    max_connections = 1000
    """More are closed as they come, so that files are left for work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._cancel_head_timer()
        elif self._head_timer is None and not self.transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_head_timer()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._cancel_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; the status is h11's hint where it has one."""
        error = sys.exc_info()[1]
        hint = getattr(error, "error_status_hint", 400)
        status = hint if hint in (431, 501) else 400
        self._answer(status, say("This is not an HTTP request that can be read.", "无法读取的 HTTP 请求。"))

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.header_seconds, self._head_is_late)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._answer(408, say("The head of the request did not come in time.", "请求头未能按时到达。"))

    def _answer(self, status: int, text: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # an answer is under way already
            return
        kind = "timeout_error" if status == 408 else "invalid_request_error"
        code = {408: "head_too_slow", 431: "headers_too_large"}.get(status, "bad_http")
        shape = {"error": {"message": text, "type": kind, "param": None, "code": code}}
        body = json.dumps(shape, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass
        self.transport.close()
