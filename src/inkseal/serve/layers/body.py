"""Takes in the whole body before a route sees any of it: bounded in size and time, and JSON that means one thing."""

import asyncio

import anyio.to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkseal.core.errors import InksealError
from inkseal.core.language import say
from inkseal.serve.config import ServeConfig
from inkseal.serve.errors import Refused
from inkseal.serve.refuse import closing, header, refuse
from inkseal.serve.strict_json import parse

_IN_THREAD_BYTES = 64 << 10
"""Beyond this, parsing would keep other requests waiting."""


class Body:
    """Reads, bounds and checks bodies.

    Args:
        uploads: paths that take bodies which are not JSON.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig, uploads: frozenset[str]) -> None:
        self._app = app
        self._config = config
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            if body and scope["path"] not in self._uploads:
                await _check_json(scope, body)
        except InksealError as error:
            await refuse(scope, receive, closing(send), error)  # what is left of the body is no request
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        upload = scope["path"] in self._uploads
        limit = self._config.max_upload_bytes if upload else self._config.max_json_bytes
        if header(scope, b"content-encoding") not in (b"", b"identity"):
            # Whatever its size: nothing here unpacks bodies, so none of them can be a bomb.
            what = say("Compressed bodies are not read.", "不接受压缩的请求体。")
            raise Refused(415, "encoded_body", what, accepts="identity")
        claimed = header(scope, b"content-length")
        if claimed.isdigit() and int(claimed) > limit:
            raise _too_large(limit)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._config.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "body_broken_off", say("The body broke off.", "请求体中断。"))
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > limit:
                        raise _too_large(limit)
                    pieces.append(piece)
                    if not message.get("more_body", False):
                        return b"".join(pieces)
        except TimeoutError:
            raise Refused(408, "body_too_slow", say("The body did not come in time.", "请求体未能按时到达。")) from None


async def _check_json(scope: Scope, body: bytes) -> None:
    kind = header(scope, b"content-type").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Refused(
            415,
            "not_json",
            say("The body must be application/json.", "请求体必须是 application/json。"),
        )
    if len(body) > _IN_THREAD_BYTES:
        await anyio.to_thread.run_sync(parse, body)
    else:
        parse(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def _too_large(limit: int) -> Refused:
    return Refused(413, "body_too_large", say(f"The body is larger than {limit} bytes.", f"请求体超过 {limit} 字节。"))
