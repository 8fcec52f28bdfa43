"""The table of package archives: fetched once by their registries' clients, kept, and proved by hash at each use."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from inkseal.catalog.sources import sources
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import FetchFailed, UnknownName
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Closed, Sha256
from inkseal.store.durable import make_folder


class PinnedArchive(Closed):
    """One archive of one version; another version is another row."""

    source: str
    package: str
    version: str
    file: str
    size_bytes: int
    sha256: Sha256

    def location(self) -> dict[str, Any]:
        """Returns the entry that sources understand."""
        facts = {"size_bytes": self.size_bytes, "sha256": self.sha256}
        return {**self.model_dump(include={"source", "package", "version"}), "files": {self.file: facts}}


def pinned_archives() -> dict[str, PinnedArchive]:
    """Returns the table, by name."""
    text = files("inkseal.workshop.data").joinpath("archives.toml").read_text(encoding="utf-8")
    return {name: PinnedArchive.model_validate(row) for name, row in tomllib.loads(text).items()}


def fetch_archive(name: str, folder: Path, on_event: Listener, cancel: Cancel, *, offline: bool = False) -> Path:
    """Returns where the archive lies, after fetching it if it is not there; a changed one is fetched again.

    Raises:
        UnknownName: the table has no such archive.
        FetchFailed: it is not here and cannot come.
        Cancelled, NotEnoughSpace: nothing half is left.
    """
    table = pinned_archives()
    if name not in table:
        raise UnknownName("archive", name, table)
    pinned = table[name]
    make_folder(folder)
    path = folder / pinned.file
    if path.exists():
        if hash_file(path, cancel) == pinned.sha256:
            return path
        path.unlink()
    if offline:
        raise FetchFailed(
            say(f"{pinned.file} is not here, and the network is off.", f"本机没有 {pinned.file}，且已禁用网络。"),
            fix=say("Run it once with the network on.", "请先联网运行一次。"),
        )
    sources[pinned.source]().fetch(pinned.location(), folder, on_event, cancel)
    return path
