"""Fetches one file over HTTP into a `.part` beside its target, going on where an earlier attempt stopped.

All sources deliver the same bytes, so a `.part` begun by one may be finished by another.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from inkseal.core.errors import Cancelled, FetchFailed
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.store.durable import disk_errors

if TYPE_CHECKING:
    import httpx2

MAX_REDIRECTS = 5
_ATTEMPTS = 3
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 30.0

TEMPORARY_PREFIX = ".fetching-"
"""Of folders beside a model's files in which a source gathers an archive; a killed fetch leaves one behind."""


def part_of(target: Path) -> Path:
    """Returns where the unfinished bytes of `target` lie: always a prefix of the whole."""
    return target.with_name(target.name + ".part")


def download(
    url: str,
    target: Path,
    size_bytes: int,
    on_bytes: Callable[[int], None],
    cancel: Cancel,
    *,
    headers: Mapping[str, str] | None = None,
    schemes: tuple[str, ...] = ("https",),
    transport: "httpx2.BaseTransport | None" = None,
) -> None:
    """Writes the file at `url` to `target`; `on_bytes` hears how many bytes are there.

    A `transport` may refuse addresses; every redirect passes it too.

    Raises:
        FetchFailed: unreachable, refused, another size, too many redirects or one to a scheme not in `schemes`.
        Cancelled: `cancel` was set; the `.part` stays for the next time.
        NotEnoughSpace: the disk is full; the `.part` stays.
    """
    import httpx2

    def check(request: "httpx2.Request") -> None:
        if request.url.scheme not in schemes:
            raise FetchFailed(say(f"{request.url.scheme} is not allowed", f"不允许使用 {request.url.scheme}"))

    timeout = httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    with httpx2.Client(
        timeout=timeout,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        event_hooks={"request": [check]},
        transport=transport,
    ) as client:
        for attempt in range(_ATTEMPTS):
            before = _size(part_of(target))
            try:
                _attempt(client, url, target, size_bytes, on_bytes, cancel)
                return
            except (httpx2.TransportError, httpx2.TooManyRedirects, httpx2.InvalidURL) as error:
                stuck = _size(part_of(target)) == before  # a line that breaks after progress deserves another try
                if stuck or attempt == _ATTEMPTS - 1:
                    raise FetchFailed(f"{type(error).__name__}: {error}") from error


def _attempt(
    client: "httpx2.Client",
    url: str,
    target: Path,
    size_bytes: int,
    on_bytes: Callable[[int], None],
    cancel: Cancel,
) -> None:
    part = part_of(target)
    start = _size(part)
    if start > size_bytes:
        part.unlink()
        start = 0
    if start < size_bytes:
        headers = {"Range": f"bytes={start}-"} if start else {}
        with client.stream("GET", url, headers=headers) as response:
            _append(response, part, start, size_bytes, on_bytes, cancel)
    if _size(part) != size_bytes:
        raise FetchFailed(
            say(
                f"{_size(part):,} bytes came, {size_bytes:,} were due",
                f"收到 {_size(part):,} 字节，应为 {size_bytes:,}",
            )
        )
    part.replace(target)


def _append(
    response: "httpx2.Response",
    part: Path,
    start: int,
    size_bytes: int,
    on_bytes: Callable[[int], None],
    cancel: Cancel,
) -> None:
    if response.status_code not in (200, 206):
        raise FetchFailed(f"HTTP {response.status_code}")
    goes_on = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    done = start if goes_on else 0
    with disk_errors(part), part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(done)
        file.seek(done)
        for piece in response.iter_raw():  # unbuffered: what came before a break is kept
            done += len(piece)
            if done > size_bytes:
                raise FetchFailed(say(f"more than {size_bytes:,} bytes came", f"收到的数据超过 {size_bytes:,} 字节"))
            file.write(piece)
            on_bytes(done)
            if cancel.is_set():
                raise Cancelled(say("The download was stopped.", "下载已停止。"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
