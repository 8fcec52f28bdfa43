"""Reads server-sent events out of pieces of bytes, within bounds.

Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream".
"""

from collections.abc import Iterable, Iterator

from inkseal.core.errors import EngineFailed
from inkseal.core.language import say

MAX_EVENT_BYTES = 4 << 20


def events(pieces: Iterable[bytes], max_bytes: int) -> Iterator[tuple[str, str]]:
    """Yields (event name, data) as they are complete; an event without its empty line at the end does not count.

    Raises:
        EngineFailed: an event, or all together, are larger than a server should send, or no UTF-8.
    """
    name, size = "", 0
    data: list[str] = []
    for line in _lines(pieces, max_bytes):
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data, size = "", [], 0
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        size += len(line)
        if size > MAX_EVENT_BYTES:
            raise _too_large()
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value


def _lines(pieces: Iterable[bytes], max_bytes: int) -> Iterator[str]:
    held, total, after_return = b"", 0, False
    for piece in pieces:
        total += len(piece)
        if total > max_bytes or len(held) > MAX_EVENT_BYTES:
            raise _too_large()
        if after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        after_return = piece.endswith(b"\r")
        *whole, held = (held + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise EngineFailed(say("The provider sent no UTF-8.", "服务商发送的不是 UTF-8。")) from None


def _too_large() -> EngineFailed:
    return EngineFailed(say("The provider sent more than is read.", "服务商发送的数据超出读取上限。"))
