"""Frames written by hand are what a JSON reader reads back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.serve import sse
from inkseal.serve.bridge import ClientLeft
from inkseal.serve.sse import EventStream, quoted


@given(st.text(alphabet=st.characters()))
def test_any_text_comes_back_and_stays_on_one_line(text: str) -> None:
    frame = quoted(text)
    assert json.loads(frame) == text
    assert b"\n" not in frame
    frame.decode("utf-8")


def test_half_a_character_is_escaped() -> None:
    assert quoted("a\ud83d") == b'"a\\ud83d"'


class Frames:
    def __init__(self, error: Exception | None = None) -> None:
        self.closed = False
        self._error = error

    async def all(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            if self._error is not None:
                raise self._error
            yield b"two"
        finally:
            self.closed = True


def sent(frames: Frames, delay: float = 0) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        await asyncio.sleep(delay if message.get("body") else 0)
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError("the stream does not read")

    asyncio.run(EventStream(frames.all(), {"inkseal-artifact": "x"})({"type": "http"}, receive, send))
    return messages


def test_a_stream_is_sent_and_ended() -> None:
    start, *bodies = sent(Frames())
    headers = dict(start["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"inkseal-artifact"] == b"x"
    assert [body["body"] for body in bodies] == [b"one", b"two", b""]
    assert [body["more_body"] for body in bodies] == [True, True, False]


def test_a_client_that_left_gets_no_end() -> None:
    frames = Frames(ClientLeft("gone"))
    assert sent(frames)[-1]["body"] == b"one"
    assert frames.closed


def test_a_reader_that_reads_nothing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "STALL_SECONDS", 0.05)
    frames = Frames()
    assert len(sent(frames, delay=1)) == 1  # the start alone
    assert frames.closed
