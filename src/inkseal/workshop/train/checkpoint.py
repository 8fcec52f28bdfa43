"""Checkpoints that are whole or absent: safetensors and JSON in one folder, hashed, synced, then renamed.

Nothing in them can run code. Knows nothing of what the tensors mean.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import StoreError
from inkseal.core.language import say
from inkseal.store.durable import disk_errors, make_folder, sync_file, sync_folder, write_whole

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 2
STATE = "state.json"
_PREFIX = "step-"


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, Mapping[str, "Tensor"]], state: dict[str, Any]
) -> Path:
    """Writes one file of tensors for each name, then the state with their hashes; keeps the last two checkpoints.

    One of the same step stays when it is whole, and is replaced when it is damaged.

    Raises:
        NotEnoughSpace, StoreError: the disk cannot take it; earlier checkpoints are as they were.
    """
    from safetensors.torch import save

    make_folder(folder)
    target = folder / f"{_PREFIX}{step:09d}"
    temporary, damaged = (folder / f".{target.name}.{secrets.token_hex(6)}.tmp" for _ in range(2))
    if target.exists():
        if _read(target) is not None:
            return target
        with disk_errors(target):
            target.rename(damaged)
    try:
        with disk_errors(target):
            temporary.mkdir(mode=0o700)
            hashes = {}
            for name, group in tensors.items():
                path = temporary / f"{name}.safetensors"
                # The library's own writing tells of a full disk with an error that is no OSError.
                data = save({key: value.detach().contiguous() for key, value in group.items()})
                path.write_bytes(data)
                sync_file(path)
                hashes[path.name] = hashlib.sha256(data).hexdigest()
            text = json.dumps({"step": step, "sha256": hashes, "state": state}, ensure_ascii=False, indent=1)
            write_whole(temporary / STATE, text.encode())
            temporary.rename(target)
            sync_folder(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in [*_finished(folder)[:-KEPT], *folder.glob(f".{_PREFIX}*.tmp")]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def load_checkpoint(folder: Path) -> "tuple[int, dict[str, dict[str, Tensor]], dict[str, Any]] | None":
    """Returns step, tensors by file name, and state of the newest whole checkpoint; None when there is none at all.

    A checkpoint whose hashes do not fit is passed over for the one before it.

    Raises:
        StoreError: there are checkpoints, and all are damaged.
    """
    found = _finished(folder)
    for path in reversed(found):
        read = _read(path)
        if read is not None:
            return read
    if found:
        raise StoreError(
            say(f"Every checkpoint in {folder} is damaged.", f"{folder} 中的检查点全部损坏。"),
            fix=say("Begin anew with --fresh.", "请用 --fresh 重新开始。"),
        )
    return None


def _read(path: Path) -> "tuple[int, dict[str, dict[str, Tensor]], dict[str, Any]] | None":
    """Returns what a checkpoint holds; None when it is damaged."""
    from safetensors.torch import load_file

    try:
        facts = json.loads((path / STATE).read_text(encoding="utf-8"))
        if any(_sha256(path / name) != wanted for name, wanted in facts["sha256"].items()):
            return None
        tensors = {Path(name).stem: load_file(path / name) for name in facts["sha256"]}
        return int(facts["step"]), tensors, facts["state"]
    except (OSError, ValueError, KeyError):
        return None


def _finished(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{_PREFIX}*") if path.is_dir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
