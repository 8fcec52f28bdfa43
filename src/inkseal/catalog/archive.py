"""Reads members of package archives (.tgz, .deb) as data, without ever unpacking one to the disk.

The whole archive is looked through before a byte of it is used, and refused whole when a member is not a plain thing.
"""

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, NoReturn, cast

from inkseal.core.errors import Cancelled, ModelFileRefused
from inkseal.core.language import say
from inkseal.core.protocols import Cancel

_BROKEN = (tarfile.TarError, lzma.LZMAError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError)
_AR_HEADER_BYTES = 60


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold at most, so that a small file cannot become a large one."""

    num_members: int = 50_000
    total_bytes: int = 1 << 30
    member_bytes: int = 256 << 20


def read_members(
    archive: Path, wanted: Callable[[str], bool], cancel: Cancel, limits: ArchiveLimits | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of the regular files whose names are wanted, in the archive's order.

    Symbolic links are never followed; one that leads out of the archive refuses it.

    Raises:
        ModelFileRefused: names that climb out, hard links, devices, doubles, too much of anything, or broken bytes.
        Cancelled: `cancel` was set.
    """
    bounds = limits or ArchiveLimits()
    _look_through(archive, bounds, cancel)
    with _opened(archive, bounds) as tar:
        for member in tar:
            name = _plain(member.name)
            if cancel.is_set():
                raise Cancelled(say("Reading was stopped.", "读取已停止。"))
            if member.isreg() and wanted(name):
                yield name, cast("IO[bytes]", tar.extractfile(member)).read()


def _look_through(archive: Path, limits: ArchiveLimits, cancel: Cancel) -> None:
    names: set[str] = set()
    with _opened(archive, limits) as tar:
        for member in tar:
            name = _plain(member.name)
            if cancel.is_set():
                raise Cancelled(say("Reading was stopped.", "读取已停止。"))
            if not _stays_inside(name):
                _refuse(archive, say(f"{name[:80]!r} climbs out", f"{name[:80]!r} 越出归档"))
            if member.issym():
                if not _leads_inside(name, member.linkname):
                    _refuse(archive, say(f"the link {name[:80]!r} leads out", f"链接 {name[:80]!r} 指向归档之外"))
            elif not member.isreg() and not member.isdir():
                _refuse(archive, say(f"{name[:80]!r} is no plain file", f"{name[:80]!r} 不是普通文件"))
            if member.size > limits.member_bytes:
                _refuse(archive, say(f"{name[:80]!r} is too large", f"{name[:80]!r} 过大"))
            if not member.isdir() and name in names:
                _refuse(archive, say(f"{name[:80]!r} is there twice", f"{name[:80]!r} 出现两次"))
            names.add(name)
            if len(names) > limits.num_members:
                _refuse(archive, say("it has too many members", "成员过多"))


@contextmanager
def _opened(archive: Path, limits: ArchiveLimits) -> Iterator[tarfile.TarFile]:
    """Yields the archive as a stream of members; whatever is broken in it is our refusal."""
    try:
        with archive.open("rb") as file, _unpacked(archive, file) as plain:
            capped = cast("IO[bytes]", _Capped(plain, archive, limits.total_bytes))
            with tarfile.open(fileobj=capped, mode="r|") as tar:
                yield tar
    except _BROKEN as error:
        _refuse(archive, say(f"it is broken ({type(error).__name__})", f"已损坏（{type(error).__name__}）"))


def _unpacked(archive: Path, file: IO[bytes]) -> Any:
    if archive.suffix != ".deb":
        return gzip.GzipFile(fileobj=file, mode="rb")
    for name, size in _ar_members(archive, file):
        if name == "data.tar.xz":
            return lzma.LZMAFile(cast("IO[bytes]", _Slice(file, size)))
        file.seek(size + size % 2, io.SEEK_CUR)
    _refuse(archive, say("it has no data.tar.xz", "其中没有 data.tar.xz"))


def _ar_members(archive: Path, file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Yields the members of a Debian package's outer archive (`ar`), the file standing at each one's data."""
    if file.read(8) != b"!<arch>\n":
        _refuse(archive, say("it is no Debian package", "不是 Debian 软件包"))
    while len(header := file.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES and header.endswith(b"`\n"):
        yield header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])


class _Slice(io.RawIOBase):
    """The next `size` bytes of a file, as a file."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, max(0, size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Capped:
    """Refuses to give more than a number of bytes."""

    def __init__(self, file: Any, archive: Path, num_bytes: int) -> None:
        self._file, self._archive, self._left = file, archive, num_bytes

    def read(self, num_bytes: int) -> bytes:
        data = cast("bytes", self._file.read(num_bytes))
        self._left -= len(data)
        if self._left < 0:
            _refuse(self._archive, say("it unpacks to too much", "解压后过大"))
        return data


def _plain(name: str) -> str:
    return name.removeprefix("./") or "."


def _stays_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not (name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or ":" in name[:2])


def _leads_inside(name: str, link: str) -> bool:
    if link.startswith("/") or "\\" in link or "\0" in link:
        return False
    depth = len(PurePosixPath(name).parts) - 1
    for part in PurePosixPath(link).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return True


def _refuse(archive: Path, why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The archive {archive.name} is refused: {why}.", f"拒绝使用归档 {archive.name}：{why}。"),
        fix=say("Delete it and fetch it again.", "请删除后重新获取。"),
    )
