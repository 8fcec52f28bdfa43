"""Backups that are made for a download: they lie in `backups/` for a while, under names that nobody can guess."""

from pathlib import Path
from typing import Any

from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel
from inkseal.core.types import new_id
from inkseal.serve.tasks import Work
from inkseal.store.backup import write_backup
from inkseal.store.durable import make_folder

FOLDER = "backups"
PREFIX = ".download-"


def making(data_dir: Path, *, models: bool, allow_damaged: bool) -> Work:
    """Returns the making of a backup; the one before it goes."""

    def work(on_event: Listener, cancel: Cancel) -> dict[str, Any]:
        make_folder(data_dir / FOLDER)
        clear(data_dir)
        token = new_id()
        target = backup_file(data_dir, token)
        made = write_backup(
            data_dir, target, include_models=models, allow_damaged=allow_damaged, on_event=on_event, cancel=cancel
        )
        facts = {"num_files": len(made.members), "damaged": list(made.damaged)}
        return {"file": token, "size_bytes": target.stat().st_size} | facts

    return work


def backup_file(data_dir: Path, token: str) -> Path:
    """Returns where a backup lies."""
    return data_dir / FOLDER / f"{PREFIX}{token}.zip"


def clear(data_dir: Path) -> None:
    """Removes every backup that was made for a download: they hold private keys."""
    for path in (data_dir / FOLDER).glob(f"*{PREFIX}*"):
        path.unlink(missing_ok=True)
