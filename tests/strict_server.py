"""A service of this machine that speaks a protocol to the letter and fails as real ones do, as a test tells it to."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Answer = Callable[["Talk"], None]


class StrictServer(ThreadingHTTPServer):
    """Answers each request with the next of `answers`; the last one stays. Keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.left = threading.Event()
        """Set when a client has gone away in the middle of an answer."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Keeps quiet: clients that leave are what this is for."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Talk(BaseHTTPRequestHandler):
    """One request."""

    server: StrictServer
    protocol_version: ClassVar[str] = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except OSError:
            self.server.left.set()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""

    def head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, data: Any, name: str = "") -> None:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        self.wfile.write((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
        self.wfile.flush()


def error(status: int, message: str = "no", **headers: str) -> Answer:
    """Answers with an error in OpenAI's and Anthropic's shape."""

    def answer(talk: Talk) -> None:
        talk.head(status, "application/json", **headers)
        talk.wfile.write(json.dumps({"type": "error", "error": {"type": "x", "message": message}}).encode())

    return answer


def whole(value: Any, kind: str = "application/json") -> Answer:
    """Answers with one JSON value."""

    def answer(talk: Talk) -> None:
        talk.head(200, kind)
        talk.wfile.write(json.dumps(value).encode())

    return answer


def stream(*events: Any, kind: str = "text/event-stream", pause: float = 0) -> Answer:
    """Answers with events: each is data, or a pair of name and data."""

    def answer(talk: Talk) -> None:
        talk.head(200, kind)
        for event in events:
            name, data = event if isinstance(event, tuple) else ("", event)
            talk.event(data, name)
            time.sleep(pause)

    return answer


def endless(event: Any) -> Answer:
    """Sends the event again and again until the client leaves."""

    def answer(talk: Talk) -> None:
        talk.head(200, "text/event-stream")
        while True:
            name, data = event if isinstance(event, tuple) else ("", event)
            talk.event(data, name)
            time.sleep(0.02)

    return answer


def silent(talk: Talk) -> None:
    """Begins a stream and says nothing until the client leaves."""
    talk.head(200, "text/event-stream")
    while True:
        talk.wfile.write(b": still here\n\n")
        talk.wfile.flush()
        time.sleep(0.1)


@contextlib.contextmanager
def strict_server() -> Iterator[StrictServer]:
    """Runs a server for a test."""
    with StrictServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
