"""Takes a model from folders on this machine: INKSEAL_MODEL_PATH's, one that the caller names, the checkout's own."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from inkseal.catalog.download import part_of
from inkseal.catalog.sources import NothingNamed
from inkseal.catalog.space import require_space
from inkseal.catalog.verify import hash_file
from inkseal.core.errors import FetchFailed, ModelFileRefused
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.store.durable import disk_errors

VARIABLE = "INKSEAL_MODEL_PATH"
CHECKOUT = Path(__file__).resolve().parents[4]
"""Where the program runs from its repository, the models that it ships lie in `models/` there."""


class Folder:
    """Looks for each file as FOLDER/<file> and FOLDER/<model>/<file>; takes only files of the right hash."""

    name: ClassVar[str] = "folder"
    online: ClassVar[bool] = False

    def serves(self, location: Mapping[str, Any]) -> bool:
        """True for entries of this source."""
        return location.get("source") == self.name

    def fetch(self, location: Mapping[str, Any], target: Path, on_event: Listener, cancel: Cancel) -> None:
        """Links or copies `location["files"]` into `target`; `location["path"]` names a folder before all others.

        Raises:
            FetchFailed: a file is in no folder, or only with another content.
        """
        folders = list(_folders(location))
        for name, facts in location["files"].items():
            if (target / name).exists():
                continue
            places = [place for folder in folders for place in (folder / name, folder / location["name"] / name)]
            found = _first_good([*places, *_shipped(location["name"], name)], facts, cancel)
            if found is None:
                raise _missing(name, folders)
            _take(found, target / name, facts["size_bytes"])
            on_event(Progress(what=name, done=facts["size_bytes"], total=facts["size_bytes"], unit="bytes"))


def _folders(location: Mapping[str, Any]) -> Iterator[Path]:
    named = [location["path"]] if location.get("path") else []
    for text in [*named, *os.environ.get(VARIABLE, "").split(os.pathsep)]:
        if text and Path(text).expanduser().is_dir():
            yield Path(text).expanduser().resolve()


def _shipped(model: str, name: str) -> Iterator[Path]:
    if (CHECKOUT / "pyproject.toml").is_file():
        yield CHECKOUT / "models" / model / name


def _missing(name: str, folders: list[Path]) -> FetchFailed:
    if folders:
        return FetchFailed(say(f"{name!r} is not in {folders[0]}", f"{folders[0]} 中没有 {name!r}"))
    kind = FetchFailed if os.environ.get(VARIABLE) else NothingNamed
    return kind(say(f"{VARIABLE} names no folder", f"{VARIABLE} 未指定文件夹"))


def _first_good(places: list[Path], facts: Mapping[str, Any], cancel: Cancel) -> Path | None:
    for place in places:
        path = place.resolve()
        with contextlib.suppress(ModelFileRefused):
            if (
                path.is_file()
                and path.stat().st_size == facts["size_bytes"]
                and hash_file(path, cancel) == facts["sha256"]
            ):
                return path
    return None


def _take(found: Path, target: Path, size_bytes: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # another file system, or one without hard links: copied below
        os.link(found, target)
        return
    require_space(target.parent, size_bytes)
    part = part_of(target)
    with disk_errors(part):
        shutil.copyfile(found, part)
        part.replace(target)
