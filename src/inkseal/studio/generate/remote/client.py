"""One provider's connection: the key's header, time limits, retries, streams that a cancel closes.

Errors hold what the provider said, without secrets.
"""

import contextlib
import email.utils
import json
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import (
    AddressRefused,
    ContextTooLong,
    EngineFailed,
    FetchFailed,
    InksealError,
    InvalidRequest,
    ModelMissing,
    TrustError,
)
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Remote
from inkseal.runtime.addresses import FetchPolicy
from inkseal.runtime.fetch import Watch, guarded_client
from inkseal.studio.generate.remote.keys import read_key
from inkseal.studio.generate.remote.sse import events

if TYPE_CHECKING:
    import httpx2

MAX_ERROR_BYTES = 65_536
MAX_SHOWN_CHARS = 300
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_STEP_SECONDS = 0.1
_LENGTH_HINTS = ("context_length", "context length", "exceed_context", "context size", "too long")

Headers = Callable[[str], Mapping[str, str]]
"""The key → the headers that carry it; no headers for an empty key."""


class RemoteConfig(ComponentConfig):
    """How providers are waited for."""

    connect_seconds: float = Field(10, gt=0, le=120, description="Longest wait for a connection.")
    read_seconds: float = Field(120, gt=0, le=3600, description="Longest silence of the provider.")
    retries: int = Field(3, ge=0, le=10, description="Attempts after the first, while nothing was shown.")
    first_wait_seconds: float = Field(0.5, ge=0, le=60, description="Before the first retry; then twice as long each.")
    max_wait_seconds: float = Field(30, ge=0, le=600, description="Longest wait before a retry.")
    max_answer_bytes: int = Field(64 << 20, ge=1024, description="Largest answer that is read.")


class RemoteClient:
    """Speaks JSON with one provider. Safe for several threads; connections are kept and shared."""

    def __init__(self, remote: Remote, config: RemoteConfig, headers: Headers) -> None:
        """Reads the key; makes no connection.

        Raises:
            TrustError: the key cannot be read.
        """
        self._remote = remote
        self._config = config
        self._key = read_key(remote.provider, remote.settings)
        self._client: httpx2.Client | None = _connect(remote, config, headers(self._key.reveal()))

    def post(self, path: str, body: Mapping[str, Any], cancel: Cancel | None = None) -> dict[str, Any]:
        """Returns the JSON object that answers.

        Raises:
            EngineFailed: out of reach, too slow, or the answer is malformed.
            Cancelled: `cancel` was set.
            InksealError: what the provider's status stands for.
        """
        with self._attempts("POST", path, body, cancel) as response:
            self._expect(response, "application/json")
            return self._object(b"".join(self._bounded(response)))

    def stream(self, path: str, body: Mapping[str, Any], cancel: Cancel) -> Generator[tuple[str, str], None, None]:
        """Yields (event name, data) of a stream; leaving it closes the connection, which stops the provider's work.

        Raises:
            as `post`; EngineFailed also when the connection drops in mid-stream.
        """
        with self._attempts("POST", path, body, cancel) as response:
            self._expect(response, "text/event-stream")
            yield from events(response.iter_raw(), self._config.max_answer_bytes)

    def close(self) -> None:
        """Closes all connections; running requests end with EngineFailed."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def failed(self, why: str, fix: str = "") -> EngineFailed:
        """Returns the error that the provider broke off, without secrets."""
        name, shown = self._remote.provider, self.clean(why)
        return EngineFailed(say(f"The provider {name!r} failed: {shown}.", f"服务商 {name!r} 出错：{shown}。"), fix=fix)

    def clean(self, text: str) -> str:
        """Returns a stranger's words as far as they may be shown: short, printable, and without the key."""
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        return " ".join(self._key.redact(printable).split())[:MAX_SHOWN_CHARS].rstrip(".")

    @contextlib.contextmanager
    def _attempts(
        self, method: str, path: str, body: Mapping[str, Any], cancel: Cancel | None
    ) -> Iterator["httpx2.Response"]:
        """Opens the answer, again and again while the provider asks for patience; afterwards nothing is repeated."""
        import httpx2

        try:
            response = self._open(method, path, body, cancel)
            try:
                yield response
            finally:
                response.close()
        except (AddressRefused, FetchFailed) as error:
            raise self.failed(error.what, error.fix) from None
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise self.failed(f"{type(error).__name__}: {error}") from None
        except RuntimeError as error:  # what a client that was closed meanwhile says
            if self._client is not None:
                raise
            raise _closed() from error

    def _open(self, method: str, path: str, body: Mapping[str, Any], cancel: Cancel | None) -> "httpx2.Response":
        import httpx2

        attempt = 0
        while True:
            if self._client is None:
                raise _closed()
            request = self._client.build_request(
                method,
                _url(self._remote.settings.base_url, path),
                json=body,
                extensions=_extensions(self._config, cancel),
            )
            asked: float | None = None
            try:
                response = self._client.send(request, stream=True)
            except httpx2.TransportError:
                if attempt >= self._config.retries:
                    raise
            else:
                if response.status_code == 200:
                    return response
                asked = _asked_to_wait(response.headers.get("Retry-After", ""))
                error = self._refusal(response)
                patient = (asked or 0) <= self._config.max_wait_seconds
                if response.status_code not in _AGAIN or attempt >= self._config.retries or not patient:
                    raise error
            self._wait(attempt, asked, cancel)
            attempt += 1

    def _wait(self, attempt: int, asked: float | None, cancel: Cancel | None) -> None:
        """Waits as long as asked, else at random up to a limit that doubles, so that clients do not come in step.

        Source: M. Brooker, "Exponential Backoff And Jitter" (2015), "full jitter".
        """
        most = min(self._config.max_wait_seconds, self._config.first_wait_seconds * 2**attempt)
        jitter = random.uniform(0, most)  # noqa: S311 - spreads load, keeps no secret
        end = time.monotonic() + (jitter if asked is None else asked + min(jitter, 0.1 * asked))
        while (left := end - time.monotonic()) > 0:
            Watch(cancel).look()
            time.sleep(min(_STEP_SECONDS, left))

    def _refusal(self, response: "httpx2.Response") -> InksealError:
        """Returns what the provider's status stands for, with its reason."""
        try:
            body = b""
            for piece in response.iter_raw():
                body += piece
                if len(body) > MAX_ERROR_BYTES:
                    break
        finally:
            response.close()
        status, name = response.status_code, self._remote.provider
        why = self.clean(_message(body)) or f"HTTP {status}"
        if status in (401, 403):
            return TrustError(
                say(f"The provider {name!r} does not accept the key: {why}.", f"服务商 {name!r} 不接受密钥：{why}。"),
                fix=say(
                    "Correct key_file or key_env in settings.toml.", "请更正 settings.toml 中的 key_file 或 key_env。"
                ),
            )
        if status == 404:
            model = self._remote.model
            return ModelMissing(
                say(f"The provider {name!r} has no {model!r}: {why}.", f"服务商 {name!r} 没有 {model!r}：{why}。")
            )
        if status in (400, 413, 422):
            kind = ContextTooLong if _is_about_length(body) else InvalidRequest
            return kind(say(f"The provider {name!r} refuses the request: {why}.", f"服务商 {name!r} 拒绝请求：{why}。"))
        return self.failed(f"HTTP {status}, {why}", say("Try again later.", "请稍后再试。") if status in _AGAIN else "")

    def _expect(self, response: "httpx2.Response", kind: str) -> None:
        found = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if found != kind:
            raise self.failed(say(f"{kind} was due, {found[:80]!r} came", f"应为 {kind}，收到 {found[:80]!r}"))
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self.failed(say("it came compressed", "收到了压缩内容"))

    def _bounded(self, response: "httpx2.Response") -> Iterator[bytes]:
        size = 0
        for piece in response.iter_raw():
            size += len(piece)
            if size > self._config.max_answer_bytes:
                raise self.failed(say("it sent more than is read", "发送的数据超出读取上限"))
            yield piece

    def _object(self, data: bytes) -> dict[str, Any]:
        return self.parse(data.decode("utf-8", "replace"))

    def parse(self, text: str) -> dict[str, Any]:
        """Returns the JSON object in the text.

        Raises:
            EngineFailed: it is none.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise self.failed(say("it sent no sound JSON", "发送的不是正常的 JSON")) from None
        if not isinstance(found, dict):
            raise self.failed(say("it sent no JSON object", "发送的不是 JSON 对象"))
        return found


def _connect(remote: Remote, config: RemoteConfig, headers: Mapping[str, str]) -> "httpx2.Client":
    import httpx2

    settings = remote.settings
    url = httpx2.URL(settings.base_url)
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    # Whoever runs this set the address; its name alone still leads into no closed network unless they said so.
    host = url.raw_host.decode()
    shown = f"[{host}]" if ":" in host else host
    policy = FetchPolicy(
        schemes=(url.scheme,),
        ports=(port,),
        allow=(*remote.allow, *([f"{shown}:{port}"] if settings.allow_private else [])),
        connect_seconds=config.connect_seconds,
        read_seconds=config.read_seconds,
    )
    return guarded_client(policy, headers=headers)


def _url(base_url: str, path: str) -> str:
    """Returns the address of a path; one that begins with `//` lies beside the protocol's version, not under it."""
    return base_url.removesuffix("/v1") + path[1:] if path.startswith("//") else base_url + path


def _extensions(config: RemoteConfig, cancel: Cancel | None) -> dict[str, Any]:
    seconds = {"connect": config.connect_seconds, "read": config.read_seconds, "write": config.read_seconds}
    return {"watch": Watch(cancel), "timeout": seconds}


def _asked_to_wait(header: str) -> float | None:
    """Returns the seconds of a Retry-After header, which is a number or a date; None when it says nothing usable."""
    if header.strip().isdecimal():
        return float(header) if len(header) < 10 else float("inf")
    try:
        moment = email.utils.parsedate_to_datetime(header)
        return max(0.0, moment.timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _message(body: bytes) -> str:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    return found if isinstance(found, str) else ""


def _is_about_length(body: bytes) -> bool:
    text = body.decode("utf-8", "replace").lower()
    return any(hint in text for hint in _LENGTH_HINTS)


def _closed() -> EngineFailed:
    return EngineFailed(
        say("The engine was closed.", "引擎已关闭。"), fix=say("Load the model again.", "请重新加载模型。")
    )
