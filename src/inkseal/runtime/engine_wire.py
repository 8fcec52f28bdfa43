"""What the parent and an engine's process say to each other: frames of JSON messages, with raw bytes behind them.

A frame is two lengths (JSON, bytes), a JSON list of messages, and the bytes that the messages refer to by size.
Neither side runs anything that the other sends.
"""

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from inkseal.core.errors import EngineFailed, InksealError, InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Chunk

Message = list[Any]
"""Name of the message, number of the call, and what the name asks for."""

LENGTHS = struct.Struct(">II")
MAX_JSON_BYTES = 64 << 20
MAX_BLOB_BYTES = 1 << 30
FRAME_MESSAGES = 256
RECEIVE_BYTES = 1 << 18
GATHER_SECONDS = 0.001
WAIT_SLICES = 8


class Garbled(Exception):
    """The other side sent what is no frame, or no message; nothing after it can be trusted."""


class FrameReader:
    """Cuts what comes in over a socket into frames. For one thread.

    Args:
        sock: blocking.
        patience_seconds: how long the other side may be silent; for ever when absent.
    """

    def __init__(self, sock: socket.socket, patience_seconds: float | None = None) -> None:
        self._sock = sock
        self._patience_seconds = patience_seconds
        self._buffer = bytearray()

    def read(self) -> tuple[list[Message], memoryview] | None:
        """Returns the messages of the next frame and their bytes; None when the other side has hung up.

        Raises:
            Garbled: it is no frame, is longer than any may be, or breaks off.
            TimeoutError: nothing came for so long.
            OSError: the socket's.
        """
        if not self._fill(LENGTHS.size):
            if self._buffer:
                raise Garbled("a frame breaks off")
            return None
        json_bytes, blob_bytes = LENGTHS.unpack_from(self._buffer)
        if json_bytes > MAX_JSON_BYTES or blob_bytes > MAX_BLOB_BYTES:
            raise Garbled(f"a frame of {json_bytes} and {blob_bytes} bytes")
        end = LENGTHS.size + json_bytes + blob_bytes
        if not self._fill(end):
            raise Garbled("a frame breaks off")
        text = bytes(self._buffer[LENGTHS.size : LENGTHS.size + json_bytes])
        blob = memoryview(bytes(self._buffer[LENGTHS.size + json_bytes : end]))
        del self._buffer[:end]
        return _messages(text), blob

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            self._wait()
            received = self._sock.recv(RECEIVE_BYTES)
            if not received:
                return False
            self._buffer += received
        return True

    def _wait(self) -> None:
        if self._patience_seconds is None:
            return
        waiting = select.poll()
        waiting.register(self._sock, select.POLLIN)
        # In slices: a machine that was suspended, with both sides on it, has not been silent.
        for _ in range(WAIT_SLICES):
            if waiting.poll(1000 * self._patience_seconds / WAIT_SLICES):
                return
        raise TimeoutError


def _messages(text: bytes) -> list[Message]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Garbled("a frame without JSON") from None
    if not isinstance(found, list) or not all(
        isinstance(message, list) and message and isinstance(message[0], str) for message in found
    ):
        raise Garbled("a frame without messages")
    return found


class FrameWriter:
    """Sends messages of many threads. Whoever sends takes along what the others have added meanwhile.

    So no thread waits for another's sending, and a slow reader gets few frames of merged chunks instead of many.

    Args:
        sock: blocking, or with a time-out.
        gathering: true while several threads will soon add a message each; the first then waits for the others, so
            that all chunks of a step make one frame.
    """

    def __init__(self, sock: socket.socket, gathering: Callable[[], bool] = lambda: False) -> None:
        self._sock = sock
        self._gathering = gathering
        self._changing = threading.Lock()
        self._sending = threading.Lock()
        self._pending: list[tuple[bytes | Message, bytes]] = []
        self._open: dict[int, Message] = {}

    def post(self, message: Message, blob: bytes = b"") -> None:
        """Sends a message, now or with the frame after the one that is being sent.

        Raises:
            InvalidRequest: it is larger than a frame may be, or nested too deeply.
            OSError: the socket's.
        """
        try:
            encoded = json.dumps(message).encode()
        except RecursionError:
            raise _too_deep() from None
        if len(encoded) > MAX_JSON_BYTES // 2 or len(blob) > MAX_BLOB_BYTES // 2:
            raise _too_large(len(encoded) + len(blob))
        with self._changing:
            self._pending.append((encoded, blob))
        self._flush()

    def post_chunk(self, call: int, chunk: Chunk) -> None:
        """Sends a chunk; joins it to the call's last one if that is of the same result and still waits."""
        message = chunk_message(call, chunk)
        with self._changing:
            last = self._open.get(call)
            if last is not None and _joinable(last, chunk):
                joined = {"text": last[2].get("text", "") + chunk.text}
                joined |= {"num_tokens": last[2].get("num_tokens", 0) + chunk.num_tokens}
                last[2] |= message[2] | joined
            else:
                self._pending.append((message, chunk.data))
                self._open[call] = message
        self._flush()

    def _flush(self) -> None:
        while self._pending:
            if not self._sending.acquire(blocking=False):
                return
            try:
                if self._gathering():
                    time.sleep(GATHER_SECONDS)
                while frame := self._take():
                    self._sock.sendall(frame)
            finally:
                self._sending.release()

    def _take(self) -> bytes:
        """Returns the next frame; empty when nothing waits."""
        with self._changing:
            num_taken = size = 0
            for message, blob in self._pending[:FRAME_MESSAGES]:
                size += len(blob) + (len(message) if isinstance(message, bytes) else 1024 + 12 * len(str(message[2])))
                if num_taken and size > MAX_JSON_BYTES // 2:
                    break
                num_taken += 1
            taken, self._pending = self._pending[:num_taken], self._pending[num_taken:]
            self._open.clear()
        if not taken:
            return b""
        encoded = [found if isinstance(found, bytes) else json.dumps(found).encode() for found, _ in taken]
        text = b"[" + b",".join(encoded) + b"]"
        blob = b"".join(data for _, data in taken)
        return LENGTHS.pack(len(text), len(blob)) + text + blob


def _joinable(message: Message, chunk: Chunk) -> bool:
    same = message[2].get("index", 0) == chunk.index
    return same and not message[3] and not chunk.data and message[2].keys() <= {"index", "text", "num_tokens"}


def chunk_message(call: int, chunk: Chunk) -> Message:
    """Returns the message of a chunk; its data follows as bytes."""
    return ["chunk", call, chunk.model_dump(mode="json", exclude_defaults=True, exclude={"data"}), len(chunk.data)]


def chunk_of(message: Message, data: bytes | memoryview) -> Chunk:
    """Returns the chunk that `chunk_message` made a message of.

    Raises:
        Garbled: it is none.
    """
    try:
        _, _, fields, _ = message
        return Chunk(**fields, data=bytes(data))
    except (ValueError, TypeError):
        raise Garbled("a chunk") from None


def error_message(call: int, error: InksealError) -> Message:
    """Returns the message of one of our errors: its class, its words, and its further facts that are text."""
    facts = {key: value for key, value in vars(error).items() if isinstance(value, str) and key not in ("what", "fix")}
    return ["error", call, type(error).__name__, error.what, error.fix, facts]


def error_of(message: Message) -> InksealError:
    """Returns the error as the same class with the same words; EngineFailed for a class that is not known here.

    Raises:
        Garbled: it is no error.
    """
    try:
        _, _, name, what, fix, facts = message
        texts = [name, what, fix, *facts.values()]
    except (ValueError, AttributeError):
        raise Garbled("an error") from None
    if not all(isinstance(text, str) for text in texts):
        raise Garbled("an error")
    kind = _kinds(InksealError).get(name, EngineFailed)
    error = kind.__new__(kind)
    InksealError.__init__(error, what, fix=fix)
    vars(error).update(facts)
    return error


def _kinds(kind: type[InksealError]) -> dict[str, type[InksealError]]:
    found = {kind.__name__: kind}
    for below in kind.__subclasses__():
        found |= _kinds(below)
    return found


def split_texts(texts: Sequence[str], max_texts: int, max_chars: int) -> list[list[str]]:
    """Returns the texts in groups that fit a frame each, in order."""
    groups: list[list[str]] = []
    num_chars = 0
    for text in texts:
        if not groups or len(groups[-1]) >= max_texts or num_chars + len(text) > max_chars:
            groups.append([])
            num_chars = 0
        groups[-1].append(text)
        num_chars += len(text)
    return groups


def _too_large(size_bytes: int) -> InvalidRequest:
    return InvalidRequest(
        say(
            f"The request is {size_bytes >> 20} MiB; an engine takes {MAX_JSON_BYTES >> 21} MiB.",
            f"请求大小为 {size_bytes >> 20} MiB，引擎最多接收 {MAX_JSON_BYTES >> 21} MiB。",
        ),
        fix=say("Send less at once.", "请减少一次发送的内容。"),
    )


def _too_deep() -> InvalidRequest:
    return InvalidRequest(
        say("The request is nested too deeply.", "请求嵌套过深。"), fix=say("Flatten it.", "请减少嵌套层级。")
    )
