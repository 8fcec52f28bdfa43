"""One holder per lock file; the kernel lets go when the holder dies, however it dies."""

import contextlib
import os
import sys
import weakref
from pathlib import Path

from inkseal.core.errors import InUse
from inkseal.core.language import say
from inkseal.store.durable import disk_errors

_FAR = 1 << 30  # Windows locks bytes against reading too, so the locked byte lies beyond the pid
_held: "weakref.WeakSet[FileLock]" = weakref.WeakSet()


class FileLock:
    """An exclusive lock on a file, held from `acquire` to `release` or to the end of the process."""

    def __init__(self, path: Path, what: str = "") -> None:
        self.path = path
        self.what = what or str(path.parent)
        self._handle: int | None = None

    def acquire(self) -> None:
        """Takes the lock at once or not at all.

        Raises:
            InUse: another holder has it; names its process.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with disk_errors(self.path):
            handle = os.open(self.path, flags, 0o600)
        try:
            _take(handle)
        except OSError:
            holder = os.pread(handle, 20, 0) if hasattr(os, "pread") else os.read(handle, 20)
            os.close(handle)
            raise self._in_use(holder.decode("ascii", "replace").strip()) from None
        with contextlib.suppress(OSError):  # a full disk must not keep anybody from making room
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle
        _held.add(self)

    def release(self) -> None:
        """Lets go; harmless when nothing is held."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            _held.discard(self)
            with contextlib.suppress(OSError):
                os.ftruncate(handle, 0)
            os.close(handle)

    @property
    def held(self) -> bool:
        return self._handle is not None

    def _in_use(self, holder: str) -> InUse:
        process = holder if holder.isdigit() else "?"
        return InUse(
            say(f"{self.what!r} is in use by process {process}.", f"{self.what!r} 正被进程 {process} 使用。"),
            fix=say(
                "Stop that process, wait for it, or choose another data folder with INKSEAL_DATA_DIR.",
                "请停止该进程、等待其结束，或用 INKSEAL_DATA_DIR 另选数据文件夹。",
            ),
        )

    def _forget(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _take(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _forget_in_child() -> None:
    # A forked child shares the lock; kept open there, it would outlive the holder.
    for lock in list(_held):
        lock._forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
