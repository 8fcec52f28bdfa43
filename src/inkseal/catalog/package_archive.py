"""What sources share that deliver one package archive, whole and by its hash."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from inkseal.catalog.client import run_client
from inkseal.catalog.download import TEMPORARY_PREFIX
from inkseal.catalog.space import require_space
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import FetchFailed
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.store.durable import disk_errors, sync_file, sync_folder

_SAID_CHARS = 300


class ArchiveSource(ABC):
    """A registry whose client writes one archive into a folder; subclasses give its command line."""

    name: ClassVar[str]
    online: ClassVar[bool] = True

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True for entries of this source."""
        return location.get("source") == self.name

    @abstractmethod
    def command(self, location: Mapping[str, Any], folder: Path) -> list[str]:
        """Returns the command that writes the archive into `folder`, its working folder."""

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Writes the one archive of `location["files"]` into `target`, whole or not at all.

        Raises:
            FetchFailed: the client is missing or cannot deliver, or the archive is not the recorded one.
            Cancelled, NotEnoughSpace: nothing is left.
        """
        files = location["files"]
        if all((target / name).exists() for name in files):
            return
        if len(files) != 1:
            raise FetchFailed(say("a package archive is one file", "软件包归档应为一个文件"))
        ((name, facts),) = files.items()
        require_space(target, 2 * facts["size_bytes"])
        with (
            disk_errors(target / name),
            tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=target, ignore_cleanup_errors=True) as temporary,
        ):
            folder = Path(temporary).absolute()
            try:
                command = self.command(_package(location), folder)
            except ValidationError as error:
                raise FetchFailed(say(f"the entry is wrong: {error}", f"条目有误：{error}")) from None
            on_event(Progress(what=name, done=0, total=facts["size_bytes"], unit="bytes"))
            code, said = run_client(command, cancel, folder=folder)
            found = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
            if code or len(found) != 1:
                raise FetchFailed(f"{name}: {_last_words(said)}")
            if found[0].stat().st_size != facts["size_bytes"] or hash_file(found[0], cancel) != facts["sha256"]:
                raise FetchFailed(
                    say(
                        f"the registry's {name} is not the recorded archive",
                        f"软件源中的 {name} 不是记录的那个归档",
                    )
                )
            found[0].chmod(0o600)
            sync_file(found[0])
            found[0].replace(target / name)
            sync_folder(target)
            on_event(Progress(what=name, done=facts["size_bytes"], total=facts["size_bytes"], unit="bytes"))


def _package(location: Mapping[str, Any]) -> dict[str, Any]:
    return {key: location[key] for key in ("package", "version") if key in location}


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[-3:])[:_SAID_CHARS] or "?"
