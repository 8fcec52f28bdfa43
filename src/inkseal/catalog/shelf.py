"""The folder `models/`: a model is there whole or not at all, whenever the process dies."""

import contextlib
import json
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from inkseal.catalog.card import Card
from inkseal.catalog.names import check_name
from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.store.durable import disk_errors, make_folder, refuse_links, sync_file, sync_folder, write_whole
from inkseal.store.lock import FileLock

RECORD = "model.json"
RUNS = "runs/"
"""How the record of a model that was published from one's own runs says where it came from."""


class Installed(Closed):
    """What `model.json` says: the card as it was, where the files came from, and when."""

    card: Card
    source: str
    installed_at: datetime

    @property
    def is_own(self) -> bool:
        """True when it was published from runs on this machine: no source could bring it again."""
        return self.source.startswith(RUNS)


class Shelf:
    """The models of one data folder. Different models may be brought and removed at the same time."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.models = self.data_dir / "models"

    def folder(self, name: str) -> Path:
        """Returns where the model lies, whether or not it is there.

        Raises:
            InvalidRequest: not a name of a model.
            StoreError: a symbolic link stands in the way.
        """
        check_name(name)
        refuse_links(self.data_dir, "models", f"models/{name}", f"models/.partial-{name}", f"models/{name}/{RECORD}")
        return self.models / name

    def names(self) -> list[str]:
        """Returns the names of all models that are here, sorted; half models are never among them."""
        if not self.models.is_dir():
            return []
        folders = (path for path in self.models.iterdir() if not path.name.startswith(".") and not path.is_symlink())
        return sorted(path.name for path in folders if (path / RECORD).is_file())

    def installed(self, name: str) -> Installed | None:
        """Returns the record of the model, or None when it is not here.

        Raises:
            ModelFileRefused: the record is damaged.
        """
        record = self.folder(name) / RECORD
        try:
            with disk_errors(record):
                found = Installed.model_validate_json(record.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise _damaged(record, str(error.errors()[0]["msg"])) from None
        if found.card.name != name:
            raise _damaged(record, say(f"it is the record of {found.card.name!r}", f"它是 {found.card.name!r} 的记录"))
        return found

    @contextlib.contextmanager
    def partial(self, name: str) -> Iterator[Path]:
        """Yields the folder in which the model is gathered; nobody else gathers the same model meanwhile.

        Raises:
            InUse: another process is at it.
        """
        self.folder(name)
        make_folder(self.models)
        lock = FileLock(self.models / f".lock-{name}", say(f"model {name}", f"模型 {name}"))
        lock.acquire()
        try:
            folder = self.models / f".partial-{name}"
            make_folder(folder)
            yield folder
        finally:
            lock.release()

    def publish(self, partial: Path, installed: Installed) -> Path:
        """Turns the gathered folder into the model, in one step that a kill cannot halve."""
        target = self.folder(installed.card.name)
        with disk_errors(partial):
            for file in installed.card.files:
                sync_file(partial / file.name)
            text = json.dumps(installed.model_dump(mode="json"), ensure_ascii=False, indent=1)
            write_whole(partial / RECORD, text.encode())
            for folder in {(partial / file.name).parent for file in installed.card.files} | {partial}:
                sync_folder(folder)
            if target.exists():
                self._set_aside(target)
            partial.rename(target)
            sync_folder(self.models)
        self._sweep()
        return target

    def remove(self, name: str) -> bool:
        """Removes the model and what an unfinished fetch left; returns whether there was anything."""
        target = self.folder(name)
        if not self.models.is_dir():
            return False
        with self.partial(name) as partial:
            was_here = target.exists() or any(partial.iterdir())
            shutil.rmtree(partial, ignore_errors=True)
            if target.exists():
                with disk_errors(target):
                    self._set_aside(target)
            self._sweep()
        return was_here

    def _set_aside(self, target: Path) -> None:
        # Unlisted first, deleted after: a kill in between leaves rubbish, never half a model.
        target.rename(self.models / f".removed-{secrets.token_hex(6)}")
        sync_folder(self.models)

    def _sweep(self) -> None:
        for rubbish in self.models.glob(".removed-*"):
            shutil.rmtree(rubbish, ignore_errors=True)


def _damaged(record: Path, why: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(f"The record {record} is damaged: {why}.", f"记录 {record} 已损坏：{why}。"),
        fix=say(
            "Fetch the model again: inkseal models remove, then pull.",
            "请重新获取该模型：先 inkseal models remove，再 pull。",
        ),
    )
