"""Content-addressed files: `artifacts/ab/cdef…` holds the bytes whose SHA-256 is abcdef…"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.core.language import say
from inkseal.store.durable import disk_errors, make_folder, open_no_link, refuse_links, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20
_INCOMING = ".incoming"


class Blobs:
    """The folder of all contents. Safe for several threads: a name is only ever given to whole, equal bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Returns where the content lies, whether or not it is there.

        Raises:
            InvalidRequest: not a SHA-256 in lower-case hexadecimal.
            StoreError: a symbolic link stands in the way.
        """
        if not _SHA256.fullmatch(sha256):
            raise InvalidRequest(say(f"{sha256[:80]!r} is not a SHA-256.", f"{sha256[:80]!r} 不是 SHA-256。"))
        refuse_links(self.folder.parent, self.folder.name, f"{self.folder.name}/{sha256[:2]}")
        return self.folder / sha256[:2] / sha256[2:]

    def put(self, content: bytes | BinaryIO) -> tuple[str, int]:
        """Stores the content once and returns its SHA-256 and size in bytes; a damaged copy is replaced.

        Raises:
            NotEnoughSpace, StoreError: the disk refused; nothing else changed.
        """
        make_folder(self.folder / _INCOMING)
        temporary = self.folder / _INCOMING / secrets.token_hex(12)
        try:
            with disk_errors(temporary):
                sha256, size_bytes = _write(temporary, _pieces(content))
                self._name(temporary, sha256)
        finally:
            temporary.unlink(missing_ok=True)
        return sha256, size_bytes

    def _name(self, temporary: Path, sha256: str) -> None:
        target = self.path(sha256)
        make_folder(target.parent)
        if target.exists() and _hash(target) == sha256:
            os.utime(target)  # a sweep that runs now must see it as new
            return
        temporary.replace(target)
        sync_folder(target.parent)

    def get(self, sha256: str) -> bytes:
        """Returns the content after checking its hash.

        Raises:
            StoreError: it is missing or damaged; names it.
        """
        path = self.path(sha256)
        try:
            with disk_errors(path), os.fdopen(open_no_link(path), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise _damaged(sha256, say("is missing", "缺失")) from None
        except OSError as error:
            raise _damaged(sha256, say("cannot be read", "无法读取")) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _damaged(sha256, say("is damaged", "已损坏"))
        return data

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def __iter__(self) -> Iterator[str]:
        """Yields the SHA-256 of every content, sorted."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            if folder.is_dir() and not folder.is_symlink():
                for file in sorted(folder.iterdir()):
                    if _SHA256.fullmatch(folder.name + file.name):
                        yield folder.name + file.name

    def delete(self, sha256: str) -> None:
        """Removes the content; harmless when it is gone."""
        path = self.path(sha256)
        with disk_errors(path):
            path.unlink(missing_ok=True)

    def clear_incoming(self) -> None:
        """Removes what a killed writer left behind; only the holder of the data folder may call this."""
        if (self.folder / _INCOMING).is_dir():
            for file in (self.folder / _INCOMING).iterdir():
                file.unlink(missing_ok=True)

    def sweep(self, referenced: Iterable[str], min_age_seconds: float = 3600) -> int:
        """Removes contents that no record names and that are old enough to belong to no transaction under way."""
        keep = set(referenced)
        newest = time.time() - min_age_seconds
        orphans = [s for s in self if s not in keep and self.path(s).stat().st_mtime < newest]
        for sha256 in orphans:
            self.delete(sha256)
        return len(orphans)


def _pieces(content: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    while piece := content.read(_PIECE_BYTES):
        yield piece


def _write(path: Path, pieces: Iterable[bytes]) -> tuple[str, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size_bytes += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size_bytes


def _hash(path: Path) -> str:
    with os.fdopen(open_no_link(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(sha256: str, state: str) -> StoreError:
    return StoreError(
        say(f"The content {sha256} {state}.", f"内容 {sha256} {state}。"),
        fix=say("Restore it from a backup: inkseal restore.", "请从备份恢复：inkseal restore。"),
    )
