"""Writes the whole data folder into one file and brings it back: a zip with the SHA-256 of every member.

The file holds the private keys of `trust/`: whoever has it can sign as this installation.
"""

import contextlib
import hashlib
import os
import stat
import threading
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from inkseal.core.errors import Cancelled, InvalidRequest, StoreError
from inkseal.core.events import Listener, Progress, ignore
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, Sha256, now
from inkseal.store import schema
from inkseal.store.durable import disk_errors, open_no_link, sync_file, sync_folder
from inkseal.store.store import ARTIFACTS, DATABASE, Store

MANIFEST = "backup.json"
FOLDERS = (ARTIFACTS, "trust", "cards", "apps", "models")
FILES = (DATABASE, "settings.toml")
MAX_MEMBERS = 900_000
PIECE_BYTES = 1 << 20
_PACKED_FROM_BYTES = 128 << 20  # larger files are weights, which do not shrink


class Member(Closed):
    """One file of a backup."""

    name: str
    size_bytes: int
    sha256: Sha256


class Backup(Closed):
    """What `backup.json` says. `damaged` names contents that were already broken when the backup was made."""

    format: int = 1
    schema_version: str
    created_at: datetime
    members: tuple[Member, ...]
    damaged: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(member.size_bytes for member in self.members)


def write_backup(
    data_dir: Path,
    target: Path,
    *,
    include_models: bool = False,
    allow_damaged: bool = False,
    on_event: Listener = ignore,
    cancel: Cancel | None = None,
) -> Backup:
    """Writes `target` whole or not at all; another instance may go on working meanwhile.

    Raises:
        InvalidRequest: the target is there already.
        StoreError: records or contents are damaged; names them. With `allow_damaged` the rest is kept.
        NotEnoughSpace, Cancelled: there is no target.
    """
    target = target.expanduser().absolute()
    if target.exists():
        raise InvalidRequest(say(f"{str(target)!r} is there already.", f"{str(target)!r} 已存在。"))
    partial = target.with_name(f".{target.name}.partial")
    copied = target.with_name(f".{target.name}.records")
    Store.open(data_dir, read_only=True).close()
    with disk_errors(target):
        try:
            with contextlib.closing(schema.connect(data_dir / DATABASE)) as connection:
                schema.copy(connection, copied)
            backup = _pack(data_dir, copied, partial, include_models, allow_damaged, on_event, cancel)
            sync_file(partial)
            partial.replace(target)
            sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)
            copied.unlink(missing_ok=True)
    return backup


def _pack(
    data_dir: Path,
    records: Path,
    partial: Path,
    include_models: bool,
    allow_damaged: bool,
    on_event: Listener,
    cancel: Cancel | None,
) -> Backup:
    with contextlib.closing(schema.connect(records, read_only=True)) as connection:
        living = [
            row[0] for row in connection.execute("SELECT DISTINCT sha256 FROM artifacts WHERE state != 'deleted'")
        ]
        version = str(schema.version(connection))
    files = [(DATABASE, records), *_others(data_dir, include_models)]
    files += [
        (f"{ARTIFACTS}/{sha256[:2]}/{sha256[2:]}", data_dir / ARTIFACTS / sha256[:2] / sha256[2:]) for sha256 in living
    ]
    if len(files) >= MAX_MEMBERS:
        raise StoreError(
            say(f"A backup holds at most {MAX_MEMBERS:,} files.", f"一个备份最多 {MAX_MEMBERS:,} 个文件。")
        )
    members: list[Member] = []
    damaged: list[str] = []
    with (
        os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw,
        zipfile.ZipFile(raw, "w", allowZip64=True) as archive,
    ):
        for done, (name, path) in enumerate(sorted(files)):
            on_event(Progress(what=say("backup", "备份"), done=done, total=len(files), unit="files"))
            if _is_sound(name, path):
                members.append(_add(archive, name, path, cancel))
            else:
                damaged.append(name)
        if damaged and not allow_damaged:
            raise _damaged(damaged)
        backup = Backup(schema_version=version, created_at=now(), members=tuple(members), damaged=tuple(damaged))
        archive.writestr(MANIFEST, backup.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)
    return backup


def _others(data_dir: Path, include_models: bool) -> Iterator[tuple[str, Path]]:
    if (data_dir / "settings.toml").is_file():
        yield "settings.toml", data_dir / "settings.toml"
    for folder in ("trust", "cards", "apps", *(["models"] if include_models else [])):
        for path in sorted((data_dir / folder).rglob("*")):
            inside = path.relative_to(data_dir)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield inside.as_posix(), path


def _is_sound(name: str, path: Path) -> bool:
    if not name.startswith(f"{ARTIFACTS}/"):
        return True
    try:
        with os.fdopen(open_no_link(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == name.removeprefix(ARTIFACTS).replace("/", "")
    except OSError:
        return False


def _add(archive: zipfile.ZipFile, name: str, path: Path, cancel: Cancel | None) -> Member:
    digest = hashlib.sha256()
    num_bytes = 0
    with os.fdopen(open_no_link(path), "rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if size_bytes < _PACKED_FROM_BYTES else zipfile.ZIP_STORED
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        with archive.open(info, "w", force_zip64=True) as packed:
            while piece := file.read(PIECE_BYTES):
                packed.write(piece)
                digest.update(piece)
                num_bytes += len(piece)
                if (cancel or threading.Event()).is_set():
                    raise Cancelled(say("The backup was stopped.", "备份已停止。"))
    return Member(name=name, size_bytes=num_bytes, sha256=digest.hexdigest())


def _damaged(names: Iterable[str]) -> StoreError:
    listed = sorted(names)
    shown = ", ".join(listed[:5]) + (" …" if len(listed) > 5 else "")
    return StoreError(
        say(f"{len(listed)} contents are missing or damaged: {shown}.", f"{len(listed)} 个内容缺失或损坏：{shown}。"),
        fix=say("Back up the rest by allowing damaged contents.", "允许损坏内容即可备份其余部分。"),
    )
