"""Files that are whole or absent, and the disk's own faults told as our errors.

Knows nothing of what the files mean; the catalog uses it too.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from inkseal.core.errors import InksealError, NotEnoughSpace, StoreError
from inkseal.core.language import say

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_BROKEN = {errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENXIO}
_HANDLES = {errno.EMFILE, errno.ENFILE}
_FREE_OF_LINKS = getattr(os, "O_NOFOLLOW", 0)


def disk_error(error: OSError, path: Path) -> InksealError | None:
    """Returns our error for a fault of the disk under `path`, or None when the fault is another's."""
    if error.errno in _FULL:
        return NotEnoughSpace(
            say(
                f"The disk cannot take {path.name!r}: {error.strerror}.",
                f"磁盘写不下 {path.name!r}：{error.strerror}。",
            ),
            fix=say(
                f"Free space under {path.parent}; what was there before is intact.",
                f"请在 {path.parent} 所在磁盘腾出空间；原有数据完好。",
            ),
        )
    if error.errno in _BROKEN:
        return StoreError(
            say(f"The disk refused {str(path)!r}: {error.strerror}.", f"磁盘拒绝了 {str(path)!r}：{error.strerror}。"),
            fix=say("Check the disk and the folder's permissions.", "请检查磁盘与文件夹权限。"),
        )
    if error.errno in _HANDLES:
        return StoreError(
            say(f"{path.name!r} cannot be opened: {error.strerror}.", f"无法打开 {path.name!r}：{error.strerror}。"),
            fix=say("Allow more open files: ulimit -n.", "请放宽可打开文件数：ulimit -n。"),
        )
    return None


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns the disk's faults inside the block into ours; other errors pass.

    Raises:
        NotEnoughSpace: the disk, the quota or the file size limit is exhausted.
        StoreError: the disk reads or writes badly, or not at all.
    """
    try:
        yield
    except OSError as error:
        ours = disk_error(error, path)
        if ours is None:
            raise
        raise ours from error


def sync_folder(folder: Path) -> None:
    """Makes renames and new names in `folder` survive a power cut."""
    if os.name == "nt":  # Windows has no handle for this; its renames are journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Makes the bytes of a finished file survive a power cut."""
    mode = os.O_RDWR if os.name == "nt" else os.O_RDONLY  # a linked file may be another's, and only readable
    handle = os.open(path, mode | _FREE_OF_LINKS)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Creates the folder, for its owner only, with all parents, durably.

    Raises:
        StoreError: something else bears its name, or the disk refuses.
        NotEnoughSpace: the disk is full.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with disk_errors(folder):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:  # somebody else may have made it since
            if not folder.is_dir():
                raise StoreError(say(f"{str(folder)!r} is not a folder.", f"{str(folder)!r} 不是文件夹。")) from None
        sync_folder(folder.parent)


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replaces the file with `data`, or leaves it as it was.

    Raises:
        NotEnoughSpace, StoreError: as `disk_errors`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    with disk_errors(path):
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FREE_OF_LINKS, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def open_no_link(path: Path) -> int:
    """Returns a handle for reading a regular file; a symbolic link in its place is an OSError."""
    return os.open(path, os.O_RDONLY | _FREE_OF_LINKS | getattr(os, "O_BINARY", 0))


def refuse_links(folder: Path, *names: str) -> None:
    """Refuses symbolic links where our own sub-folders should be, so that nothing outside is ever touched.

    Raises:
        StoreError: naming the link.
    """
    for name in names:
        path = folder / name
        if path.is_symlink():
            raise StoreError(
                say(f"{str(path)!r} is a symbolic link.", f"{str(path)!r} 是符号链接。"),
                fix=say(
                    "Put a real folder there, or move the whole data folder with INKSEAL_DATA_DIR.",
                    "请换成真实文件夹，或用 INKSEAL_DATA_DIR 移动整个数据文件夹。",
                ),
            )
