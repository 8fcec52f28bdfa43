"""Does a request with an Idempotency-Key once: a repetition waits for the first and gets its answer."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkseal.core.language import say
from inkseal.serve.errors import Refused
from inkseal.serve.refuse import header, refuse, state, with_headers

MAX_KEPT = 512
MAX_ANSWER_BYTES = 1 << 20
MAX_KEY_BYTES = 255
_NOT_KEPT = frozenset({408, 429})


@dataclass
class _Answer:
    body_sha256: bytes
    done: asyncio.Event = field(default_factory=asyncio.Event)
    messages: list[Message] = field(default_factory=list)
    size_bytes: int = 0
    whole: bool = False

    def take(self, message: Message) -> None:
        self.size_bytes += len(message.get("body", b""))
        if self.size_bytes <= MAX_ANSWER_BYTES:
            self.messages.append(message)
        else:
            self.messages = []
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.whole = True

    @property
    def worth_keeping(self) -> bool:
        if not self.whole:
            return False
        status = self.messages[0]["status"] if self.messages else 200
        return status < 500 and status not in _NOT_KEPT


class Once:
    """Keeps the answers of the last requests that had a key, in memory; for each caller and path apart."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: OrderedDict[tuple[str, str, bytes], _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = header(scope, b"idempotency-key") if scope["type"] == "http" and scope["method"] == "POST" else b""
        caller = state(scope).get("caller") if given else None
        if caller is None or len(given) > MAX_KEY_BYTES:
            await self._app(scope, receive, send)
            return
        first = await receive()
        digest = sha256(first.get("body", b"")).digest()
        key = (caller.key_id, scope["path"], given)
        while (known := self._answers.get(key)) is not None:
            if known.body_sha256 != digest:
                await refuse(scope, receive, send, _other_request())
                return
            await known.done.wait()
            if known.worth_keeping:
                await self._repeat(known, scope, receive, send)
                return
            # The first came to nothing: one of those that waited does it, the others wait for that one.
            if self._answers.get(key) is known:
                del self._answers[key]
        await self._do(key, digest, first, scope, receive, send)

    async def _do(
        self, key: tuple[str, str, bytes], digest: bytes, first: Message, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = self._answers[key] = _Answer(digest)
        while len(self._answers) > MAX_KEPT:
            self._answers.popitem(last=False)
        waiting = [first]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        async def told(message: Message) -> None:
            answer.take(message)
            await send(message)

        try:
            await self._app(scope, again, told)
        finally:
            if not answer.worth_keeping and self._answers.get(key) is answer:
                del self._answers[key]
            answer.done.set()

    async def _repeat(self, answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
        if not answer.messages:
            error = Refused(409, "already_answered", say("This was answered already.", "该请求已被答复。"))
            await refuse(scope, receive, send, error)
            return
        for message in answer.messages:
            starts = message["type"] == "http.response.start"
            await send(with_headers(message, {b"idempotent-replayed": b"true"}) if starts else message)


def _other_request() -> Refused:
    return Refused(
        409,
        "idempotency_key_reused",
        say("This Idempotency-Key was used for another request.", "该 Idempotency-Key 已用于另一请求。"),
    )
