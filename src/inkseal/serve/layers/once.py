"""Does a request with an Idempotency-Key once: a repetition waits for the first and gets its answer.

Answers are kept in the records for a day, for each key and path apart, so that a restart repeats nothing either.
"""

import asyncio
import base64
import json
import logging
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkseal.core.errors import InksealError
from inkseal.core.language import say
from inkseal.serve.bridge import call
from inkseal.serve.errors import Refused
from inkseal.serve.refuse import header, refuse, state, with_headers
from inkseal.store.kept import Keep
from inkseal.store.store import Store

log = logging.getLogger(__name__)
KIND = "answer"
MAX_AGE_SECONDS = 24 * 3600.0
MAX_KEPT = 2_000
MAX_BYTES = 64_000_000
MAX_ANSWER_BYTES = 1 << 20
MAX_KEY_BYTES = 255
_NOT_KEPT = frozenset({408, 429})


@dataclass
class _Answer:
    """What was answered, or is being answered, to a request of this body."""

    body_sha256: str
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

    @property
    def secret(self) -> bool:
        """True of an answer that carries what no file may hold: a session's cookie."""
        return any(name == b"set-cookie" for message in self.messages for name, _ in message.get("headers", ()))

    def to_json(self) -> bytes:
        start: Message = self.messages[0] if self.messages else {"status": 0, "headers": []}
        return json.dumps(
            {
                "body_sha256": self.body_sha256,
                "status": start["status"],
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in start["headers"]],
                "body": base64.b64encode(b"".join(message.get("body", b"") for message in self.messages)).decode(),
            }
        ).encode()


def _answer_of(kept: bytes) -> _Answer:
    found = json.loads(kept)
    answer = _Answer(found["body_sha256"])
    if found["status"]:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in found["headers"]]
        answer.messages = [
            {"type": "http.response.start", "status": found["status"], "headers": headers},
            {"type": "http.response.body", "body": base64.b64decode(found["body"]), "more_body": False},
        ]
    return answer


class Once:
    """Keeps the answers of requests that had a key; those under way in memory, the others in the records."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._under_way: dict[tuple[str, str], _Answer] = {}
        self._keep = Keep(store, KIND, seconds=MAX_AGE_SECONDS, max_items=MAX_KEPT, max_bytes=MAX_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = header(scope, b"idempotency-key") if scope["type"] == "http" and scope["method"] == "POST" else b""
        caller = state(scope).get("caller") if given else None
        if caller is None or len(given) > MAX_KEY_BYTES:
            await self._app(scope, receive, send)
            return
        first = await receive()
        digest = sha256(first.get("body", b"")).hexdigest()
        key = (caller.key_id, sha256(scope["path"].encode("utf-8", "surrogateescape") + b"\0" + given).hexdigest())
        while (known := self._under_way.get(key)) is not None:
            if known.body_sha256 != digest:
                await refuse(scope, receive, send, _other_request())
                return
            await known.done.wait()
            if known.worth_keeping:
                await _repeat(known, scope, receive, send)
                return
            # The first came to nothing: one of those that waited does it, the others wait for that one.
            if self._under_way.get(key) is known:
                del self._under_way[key]
        await self._begin(key, digest, first, scope, receive, send)

    async def _begin(
        self, key: tuple[str, str], digest: str, first: Message, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers from the records, or does the request; meanwhile repetitions wait."""
        answer = self._under_way[key] = _Answer(digest)
        try:
            kept = await call(self._keep.get, *key)
            before = _answer_of(kept) if kept is not None else None
            if before is None:
                await self._do(answer, key, first, scope, receive, send)
            elif before.body_sha256 != digest:
                await refuse(scope, receive, send, _other_request())
            else:
                await _repeat(before, scope, receive, send)
        finally:
            if self._under_way.get(key) is answer:
                del self._under_way[key]
            answer.done.set()

    async def _do(
        self, answer: _Answer, key: tuple[str, str], first: Message, scope: Scope, receive: Receive, send: Send
    ) -> None:
        waiting = [first]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        async def told(message: Message) -> None:
            answer.take(message)
            if (
                answer.worth_keeping and not answer.secret
            ):  # before the last piece is out, so that no repetition is early
                await self._put(key, answer)
            await send(message)

        await self._app(scope, again, told)

    async def _put(self, key: tuple[str, str], answer: _Answer) -> None:
        try:
            await call(self._keep.put, *key, answer.to_json())
        except InksealError as error:
            log.warning("the answer to a repeated request would not be known: %s", error)


async def _repeat(answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
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
