"""Proves that files are the recorded ones: by their SHA-256, each time a model is handed out.

A size and a date prove nothing of a flipped bit; reading a gigabyte costs less than a second once it is cached,
and loading the model needs those pages anyway.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inkseal.core.errors import Cancelled, ModelFileRefused
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.store.durable import disk_errors, open_no_link

_PIECE_BYTES = 1 << 20
_THREADS = 2


def hash_file(path: Path, cancel: Cancel | None = None) -> str:
    """Returns the SHA-256 of a regular file; links are not followed.

    Raises:
        ModelFileRefused: it is missing, a link, or not a regular file.
        Cancelled: `cancel` was set.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE_BYTES))
    try:
        handle = open_no_link(path)
    except OSError as error:
        raise _refused(path, say(f"cannot be opened ({error.strerror})", f"无法打开（{error.strerror}）")) from None
    with os.fdopen(handle, "rb", buffering=0) as file, disk_errors(path):
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _refused(path, say("is not a regular file", "不是普通文件"))
        while num_bytes := file.readinto(buffer):
            digest.update(buffer[:num_bytes])
            if cancel is not None and cancel.is_set():
                raise Cancelled(say("Stopped while hashing.", "已在校验时停止。"))
    return digest.hexdigest()


def verify_files(folder: Path, files: Mapping[str, str], cancel: Cancel | None = None) -> None:
    """Checks every named file of `folder` against its recorded SHA-256.

    Backends call this for what they really read, such as a converted model beside the original.

    Raises:
        ModelFileRefused: a file is missing, a link, or not the recorded one; names it and both hashes.
    """

    def check(name: str) -> None:
        inside = folder
        for part in name.split("/")[:-1]:
            inside /= part
            if inside.is_symlink():
                raise _refused(inside, say("is a symbolic link", "是符号链接"))
        found = hash_file(folder / name, cancel)
        if found != files[name]:
            raise _refused(
                folder / name,
                say(
                    f"is not the recorded file: SHA-256 {found}, recorded {files[name]}",
                    f"不是记录的文件：SHA-256 为 {found}，记录为 {files[name]}",
                ),
            )

    if len(files) == 1:
        check(next(iter(files)))
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(check, files))


def model_hash(files: Mapping[str, str]) -> str:
    """Returns one hash for a whole model: the file's own, or that of the sorted `name:sha256` lines."""
    if len(files) == 1:
        return next(iter(files.values()))
    lines = "".join(f"{name}:{sha256}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _refused(path: Path, why: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(f"{str(path)!r} {why}.", f"{str(path)!r} {why}。"),
        fix=say(
            "It is not served. Fetch it again: inkseal models remove, then pull.",
            "不予使用。请重新获取：先 inkseal models remove，再 pull。",
        ),
    )
