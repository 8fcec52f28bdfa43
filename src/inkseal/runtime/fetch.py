"""The one fetcher for everything that makes the server fetch something.

A name is resolved once, at connecting, and the connection goes to the very address that was checked, so a name that
changes its mind in between, or an address that redirects, reaches nothing that is not allowed. Proxies are not used.
"""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from inkseal.core.errors import AddressRefused, Cancelled, FetchFailed
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed
from inkseal.runtime.addresses import FetchPolicy, check_url, is_public, literal, refuse_address

if TYPE_CHECKING:
    import httpcore2
    import httpx2

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port → addresses, as the system's resolver gives them."""

_LOOK_SECONDS = 0.2
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Watch:
    """What ends a request early: somebody's cancel, or a moment of `time.monotonic()`."""

    cancel: Cancel | None = None
    deadline: float = float("inf")

    def look(self) -> None:
        """Raises Cancelled when somebody asked for the end."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled(say("The request was cancelled.", "请求已取消。"))

    def left(self, timeout: float | None) -> float:
        """Returns the seconds that a step may take; 0 or less: none."""
        return min(float("inf") if timeout is None else timeout, self.deadline - time.monotonic())


_UNWATCHED = Watch()
_watch: ContextVar[Watch] = ContextVar("watch")


class Fetched(Closed):
    """What came."""

    url: str
    content_type: str
    content: bytes


def fetch(url: str, policy: FetchPolicy, cancel: Cancel | None = None, *, resolve: Resolve | None = None) -> Fetched:
    """Returns what lies at the address, following redirects one by one.

    Raises:
        AddressRefused: the address, or one that it redirects to, is not allowed; nothing was sent there.
        FetchFailed: out of reach, too large, too slow, of another type, or too many redirects.
        Cancelled: `cancel` was set.
    """
    import httpx2

    watch = Watch(cancel, time.monotonic() + policy.total_seconds)
    with guarded_client(policy, resolve=resolve) as client:
        for _ in range(policy.max_redirects + 1):
            checked = check_url(url, policy)
            try:
                with client.stream("GET", checked, extensions={"watch": watch}) as response:
                    if response.status_code not in _REDIRECTS:
                        kind = _content_type(response, policy)
                        return Fetched(url=str(checked), content_type=kind, content=_body(response, policy))
                    url = urljoin(str(checked), response.headers.get("Location", ""))
            except httpx2.HTTPError as error:
                raise FetchFailed(f"{type(error).__name__}: {error}") from None
    raise FetchFailed(say("Too many redirects.", "重定向次数过多。"))


def guarded_client(
    policy: FetchPolicy, *, headers: Mapping[str, str] | None = None, resolve: Resolve | None = None
) -> "httpx2.Client":
    """Returns a client that connects only where the policy allows; its requests may carry a `watch` extension."""
    import httpx2

    timeout = httpx2.Timeout(policy.read_seconds, connect=policy.connect_seconds)
    return httpx2.Client(
        transport=guarded_transport(policy, resolve=resolve),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity", **(headers or {})},
    )


def guarded_transport(policy: FetchPolicy, *, resolve: Resolve | None = None) -> "httpx2.BaseTransport":
    """Returns the transport under the client: every request's address is checked, and so is every connection."""
    import httpcore2
    import httpx2

    pool = httpcore2.ConnectionPool(
        ssl_context=httpx2.create_ssl_context(),
        max_connections=None,  # a wait for a free one could not be cancelled; queues are the caller's
        max_keepalive_connections=8,
        keepalive_expiry=30,
        network_backend=_network(policy, resolve or system_addresses),
    )

    class Guarded(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            url = check_url(str(request.url), policy)
            watch = request.extensions.get("watch", _UNWATCHED)
            watch.look()
            inner = httpcore2.Request(
                request.method,
                httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=request.url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
            token = _watch.set(watch)
            try:
                with _mapped():
                    answer = pool.handle_request(inner)
            finally:
                _watch.reset(token)
            return httpx2.Response(
                answer.status, headers=answer.headers, stream=_stream(answer, watch), extensions=answer.extensions
            )

        def close(self) -> None:
            pool.close()

    return Guarded()


def system_addresses(host: str, port: int) -> list[str]:
    """Returns the addresses of a name in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _stream(answer: "httpcore2.Response", watch: Watch) -> "httpx2.SyncByteStream":
    import httpx2

    class Watched(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            assert isinstance(answer.stream, Iterable)
            pieces = iter(answer.stream)
            while True:
                # set for one step only: between steps other requests run in this thread
                token = _watch.set(watch)
                try:
                    with _mapped():
                        piece = next(pieces, None)
                finally:
                    _watch.reset(token)
                if piece is None:
                    return
                yield piece

        def close(self) -> None:
            answer.close()

    return Watched()


class _mapped:
    """Turns the lower library's errors into those of the client above it, which have the same names."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import httpcore2
        import httpx2

        if error is None or not type(error).__module__.startswith("httpcore2"):
            return
        same = getattr(httpx2, type(error).__name__, None)
        if same is None and isinstance(error, httpcore2.ConnectionNotAvailable):
            same = httpx2.PoolTimeout
        raise (same or httpx2.TransportError)(str(error)) from error


def _network(policy: FetchPolicy, resolve: Resolve) -> "httpcore2.NetworkBackend":
    import httpcore2

    system = httpcore2.SyncBackend()
    entries = policy.allowed()

    class Checked(httpcore2.NetworkBackend):
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> httpcore2.NetworkStream:
            watch = _watch.get(_UNWATCHED)
            written = literal(host)
            found = [host] if written else _in_time(resolve, host, port, watch.left(timeout))
            addresses = [address for text in found if (address := literal(text)) is not None]
            good = [a for a in addresses if is_public(a) or any(entry.covers(host, a, port) for entry in entries)]
            if addresses and not good:
                refuse_address(addresses[0])
            last: Exception = httpcore2.ConnectError("no address")
            for address in good:
                watch.look()
                try:
                    step = max(0.001, watch.left(timeout))
                    return _stream_of(system.connect_tcp(str(address), port, step, local_address, socket_options))
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    last = error
            raise last

    return Checked()


def _stream_of(inner: "httpcore2.NetworkStream") -> "httpcore2.NetworkStream":
    """Returns the connection with every wait cut into short ones, between which the watch is asked."""
    import httpcore2

    class Stream(httpcore2.NetworkStream):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            watch = _watch.get(_UNWATCHED)
            end = time.monotonic() + watch.left(timeout)
            while True:
                watch.look()
                left = end - time.monotonic()
                if left <= 0:
                    raise httpcore2.ReadTimeout("nothing came in time")
                try:
                    return inner.read(max_bytes, min(_LOOK_SECONDS, left))
                except httpcore2.ReadTimeout:
                    continue

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            _watch.get(_UNWATCHED).look()
            inner.write(buffer, max(0.001, _watch.get(_UNWATCHED).left(timeout)))

        def close(self) -> None:
            inner.close()

        def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
            left = max(0.001, _watch.get(_UNWATCHED).left(timeout))
            return _stream_of(inner.start_tls(ssl_context, server_hostname, left))

        def get_extra_info(self, info: str) -> Any:
            return inner.get_extra_info(info)

    return Stream()


def _in_time(resolve: Resolve, host: str, port: int, seconds: float) -> Sequence[str]:
    """Asks the resolver, which itself knows no time limit."""
    import httpcore2

    answers: queue.Queue[Sequence[str] | Exception] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except Exception as error:  # noqa: BLE001 - a name that cannot be encoded fails otherwise than one unknown
            answers.put(error)

    threading.Thread(target=ask, name="inkseal-resolve", daemon=True).start()
    try:
        found = answers.get(timeout=None if seconds == float("inf") else max(0.0, seconds))
    except queue.Empty:
        raise httpcore2.ConnectTimeout("the name was not resolved in time") from None
    if isinstance(found, Exception):
        raise httpcore2.ConnectError(str(found)) from found
    return found


def _content_type(response: "httpx2.Response", policy: FetchPolicy) -> str:
    if response.status_code != 200:
        raise FetchFailed(f"HTTP {response.status_code}")
    kind: str = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    fits = any(kind.startswith(want) if want.endswith("/") else kind == want for want in policy.content_types)
    if policy.content_types and not fits:
        raise FetchFailed(say(f"It is of the type {kind[:80]!r}.", f"其类型为 {kind[:80]!r}。"))
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed(say("It came compressed, which was not asked for.", "收到了未请求的压缩内容。"))
    return kind


def _body(response: "httpx2.Response", policy: FetchPolicy) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_raw():
        size += len(piece)
        if size > policy.max_bytes:
            limit = f"{policy.max_bytes:,}"
            raise FetchFailed(say(f"It is larger than {limit} bytes.", f"超过 {limit} 字节。"))
        pieces.append(piece)
    return b"".join(pieces)


__all__ = ["AddressRefused", "FetchPolicy", "Fetched", "Watch", "fetch", "guarded_client", "guarded_transport"]
