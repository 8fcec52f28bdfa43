"""Brings a backup into an empty data folder: everything is proven beside it before anything takes its place."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path

from pydantic import ValidationError

from inkseal.core.errors import Cancelled, InvalidRequest, NotEnoughSpace, StoreError
from inkseal.core.events import Listener, Progress, ignore
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.store import schema
from inkseal.store.backup import FILES, FOLDERS, MANIFEST, MAX_MEMBERS, PIECE_BYTES, Backup, Member
from inkseal.store.durable import disk_errors, make_folder, sync_folder, write_whole
from inkseal.store.store import ARTIFACTS, DATABASE, RESTORING, VERIFIED, finish_restore, folder_lock

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,199}")
_MAX_DIRECTORY_BYTES = 200 << 20
_MAX_MANIFEST_BYTES = 200 << 20
_TAIL_BYTES = 66_000


def restore_backup(file: Path, data_dir: Path, *, on_event: Listener = ignore, cancel: Cancel | None = None) -> Backup:
    """Unpacks and proves `file`, then puts it into `data_dir`, which must be empty or hold a broken-off restore.

    Raises:
        InvalidRequest: the folder is in use for something, or there is no such file.
        StoreError: the file is no backup, is damaged, or reaches outside; the folder is as empty as before.
        NotEnoughSpace, Cancelled, InUse: likewise.
    """
    data_dir = data_dir.expanduser().absolute()
    make_folder(data_dir)
    lock = folder_lock(data_dir)
    lock.acquire()
    try:
        finish_restore(data_dir)
        _require_empty(data_dir)
        staging = data_dir / RESTORING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            with disk_errors(staging):
                backup = _unpack(file, staging, on_event, cancel or threading.Event())
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        write_whole(staging / VERIFIED, b"")
        finish_restore(data_dir)
        return backup
    finally:
        lock.release()


def _require_empty(data_dir: Path) -> None:
    strange = sorted(path.name for path in data_dir.iterdir() if path.name not in (".lock", RESTORING))
    if strange:
        raise InvalidRequest(
            say(
                f"{data_dir} is not empty: {', '.join(strange[:5])}.", f"{data_dir} 不为空：{'、'.join(strange[:5])}。"
            ),
            fix=say("Move it away or name another folder.", "请移走它或另选文件夹。"),
        )


def _unpack(file: Path, staging: Path, on_event: Listener, cancel: Cancel) -> Backup:
    if not file.is_file():
        raise InvalidRequest(say(f"There is no file {str(file)!r}.", f"没有文件 {str(file)!r}。"))
    _bound_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            backup, infos = _checked(archive)
            free_bytes = shutil.disk_usage(staging.parent).free
            if backup.size_bytes > free_bytes:
                raise NotEnoughSpace(
                    say(
                        f"{backup.size_bytes:,} bytes are needed, {free_bytes:,} are free.",
                        f"需要 {backup.size_bytes:,} 字节，剩余 {free_bytes:,}。",
                    )
                )
            make_folder(staging)
            for done, member in enumerate(backup.members):
                on_event(Progress(what=say("restore", "恢复"), done=done, total=len(backup.members), unit="files"))
                _extract(archive, infos[member.name], member, staging, cancel)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise _refused(str(error)) from None
    _check_records(staging / DATABASE)
    return backup


def _bound_directory(file: Path) -> None:
    """Refuses a list of members that is too long to be read, before it is read into objects."""
    size_bytes = file.stat().st_size
    with file.open("rb") as raw:
        raw.seek(max(0, size_bytes - _TAIL_BYTES))
        tail = raw.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise _refused(say("it is no zip file", "不是 zip 文件"))
        (directory_bytes,) = struct.unpack_from("<I", tail, at + 12)
        wide = tail.rfind(b"PK\x06\x06", 0, at)
        if wide >= 0 and len(tail) >= wide + 48:
            directory_bytes = max(directory_bytes % 0xFFFFFFFF, *struct.unpack_from("<Q", tail, wide + 40))
        if directory_bytes <= _MAX_DIRECTORY_BYTES:
            raw.seek(max(0, size_bytes - directory_bytes - _TAIL_BYTES))
            if raw.read().count(b"PK\x01\x02") <= MAX_MEMBERS:
                return
    raise _refused(say("it has too many members", "成员过多"))


def _checked(archive: zipfile.ZipFile) -> tuple[Backup, dict[str, zipfile.ZipInfo]]:
    """Returns the list of members after comparing it with the archive's own; refuses whatever could reach outside."""
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.filename in infos or info.is_dir() or kind not in (0, stat.S_IFREG) or info.flag_bits & 1:
            raise _refused(say(f"member {info.filename[:80]!r} is not allowed", f"不允许成员 {info.filename[:80]!r}"))
        infos[info.filename] = info
    listed = infos.pop(MANIFEST, None)
    if listed is None or listed.file_size > _MAX_MANIFEST_BYTES:
        raise _refused(say("it has no list of members", "缺少成员清单"))
    try:
        backup = Backup.model_validate_json(archive.read(listed))
    except ValidationError as error:
        raise _refused(f"{MANIFEST}: {error.errors()[0]['msg']}") from None
    names = [member.name for member in backup.members]
    if len(set(map(str.lower, names))) != len(names) or set(names) != set(infos):
        raise _refused(say("its list and its members differ", "清单与成员不一致"))
    for member in backup.members:
        _check_member(member, infos[member.name])
    if DATABASE not in names:
        raise _refused(say("it holds no records", "不含记录"))
    return backup, infos


def _check_member(member: Member, info: zipfile.ZipInfo) -> None:
    parts = member.name.split("/")
    inside = member.name in FILES or (len(parts) > 1 and parts[0] in FOLDERS)
    if not inside or len(parts) > 8 or not all(_PART.fullmatch(part) and ".." not in part for part in parts):
        raise _refused(say(f"member {member.name[:80]!r} is not allowed", f"不允许成员 {member.name[:80]!r}"))
    if info.file_size != member.size_bytes or (parts[0] == ARTIFACTS and "".join(parts[1:]) != member.sha256):
        raise _refused(say(f"member {member.name[:80]!r} is not as listed", f"成员 {member.name[:80]!r} 与清单不符"))


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member, staging: Path, cancel: Cancel) -> None:
    target = staging / member.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    left = member.size_bytes
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file, archive.open(info) as packed:
        while left and (piece := packed.read(min(left, PIECE_BYTES))):
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
            if cancel.is_set():
                raise Cancelled(say("The restore was stopped.", "恢复已停止。"))
        file.flush()
        os.fsync(file.fileno())
    if left or digest.hexdigest() != member.sha256:
        raise _refused(say(f"{member.name!r} is damaged", f"{member.name!r} 已损坏"))
    sync_folder(target.parent)


def _check_records(database: Path) -> None:
    with schema.database_errors(database), contextlib.closing(schema.connect(database)) as connection:
        schema.check_known(schema.version(connection))
        schema.check_whole(connection, database)


def _refused(why: str) -> StoreError:
    return StoreError(
        say(f"The backup cannot be used: {why}.", f"该备份无法使用：{why}。"),
        fix=say("Nothing was changed. Try another copy of it.", "未作任何改动。请换另一份副本。"),
    )
