"""Where apps are: those of the program, and people's own in the data folder, one TOML file each."""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from inkseal.apps.definition import MAX_FILE_BYTES, AppFile, read_app
from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.language import say
from inkseal.store.durable import disk_errors, make_folder, refuse_links, write_whole

FOLDER = "apps"
MAX_OWN = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Shelf:
    """The apps that somebody can use.

    Args:
        data_dir: the data folder.
        owner: whose own apps; empty for the command line and the local admin.
    """

    def __init__(self, data_dir: Path, owner: str = "") -> None:
        if owner and not _OWNER.fullmatch(owner):
            raise InvalidRequest(say("This owner cannot have apps.", "该用户无法保存应用。"))
        self._data_dir = data_dir
        self._inside = f"{FOLDER}/of-{owner}" if owner else FOLDER

    def all(self) -> list[AppFile]:
        """Returns all apps, by name; a file of one's own that cannot be used is left out."""
        found = {name: built_in(name) for name in built_in_names()}
        for name in self._own_names():
            try:
                found.setdefault(name, self._own(name))
            except InvalidRequest:
                continue
        return [found[name] for name in sorted(found)]

    def broken(self) -> dict[str, str]:
        """Returns one's own files that cannot be used, by name, with the reason."""
        found = {}
        for name in self._own_names():
            try:
                self._own(name)
            except InvalidRequest as error:
                found[name] = error.what
        return found

    def get(self, name: str) -> AppFile:
        """Returns an app.

        Raises:
            UnknownName: there is none of that name.
            InvalidRequest: one's own file cannot be used.
        """
        if name in built_in_names():
            return built_in(name)
        if not _NAME.fullmatch(name) or name not in self._own_names():
            raise UnknownName("app", name, [*built_in_names(), *self._own_names()])
        return self._own(name)

    def save(self, data: bytes, *, replace: bool = False) -> AppFile:
        """Keeps an app's file under the name it gives itself.

        Raises:
            InvalidRequest: it cannot be used, the name is taken, or there are too many.
        """
        file = read_app(data, own=True)
        name, names = file.app.name, self._own_names()
        if name in built_in_names() or (name in names and not replace):
            raise InvalidRequest(
                say(f"The name {name!r} is taken.", f"名称 {name!r} 已被占用。"),
                fix=say("Change `name` in the file.", "请修改文件中的 `name`。"),
            )
        if len(names) >= MAX_OWN and name not in names:
            raise InvalidRequest(say(f"There are {MAX_OWN} apps already.", f"已有 {MAX_OWN} 个应用。"))
        folder = self._folder()
        make_folder(folder)
        write_whole(folder / f"{name}.toml", data)
        return file

    def copy(self, name: str, new_name: str) -> AppFile:
        """Copies an app under another name, to be changed; cases and samples come along.

        Raises:
            UnknownName: there is no such app.
            InvalidRequest: the new name is taken, or is none.
        """
        if not _NAME.fullmatch(new_name):
            raise InvalidRequest(
                say(f"{new_name[:40]!r} cannot be an app's name.", f"{new_name[:40]!r} 不能用作应用名称。"),
                fix=say("Use lower-case letters, digits and _.", "请用小写字母、数字和下划线。"),
            )
        text = self.get(name).toml
        changed = re.sub(r'^name\s*=\s*["\'][^"\'\n]*["\']', f'name = "{new_name}"', text, count=1, flags=re.MULTILINE)
        return self.save(changed.encode())

    def delete(self, name: str) -> None:
        """Removes an app of one's own.

        Raises:
            UnknownName: there is none of that name.
        """
        if not _NAME.fullmatch(name) or name not in self._own_names():
            raise UnknownName("app", name, self._own_names())
        path = self._folder() / f"{name}.toml"
        with disk_errors(path):
            path.unlink()

    def _folder(self) -> Path:
        refuse_links(self._data_dir, FOLDER, self._inside)
        return self._data_dir / self._inside

    def _own_names(self) -> list[str]:
        folder = self._folder()
        files = folder.glob("*.toml") if folder.is_dir() else ()
        return sorted(f.stem for f in files if _NAME.fullmatch(f.stem) and f.is_file() and not f.is_symlink())

    def _own(self, name: str) -> AppFile:
        path = self._folder() / f"{name}.toml"
        with disk_errors(path), path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        file = read_app(data, own=True)
        if file.app.name != name:
            raise InvalidRequest(
                say(f"{path.name} calls itself {file.app.name!r}.", f"{path.name} 内的名称是 {file.app.name!r}。")
            )
        return file


@lru_cache(maxsize=1)
def built_in_names() -> frozenset[str]:
    """Returns the names of the apps that are part of the program."""
    return frozenset(path.name.removesuffix(".toml") for path in _files())


@lru_cache(maxsize=128)
def built_in(name: str) -> AppFile:
    """Returns an app that is part of the program."""
    data = next(path for path in _files() if path.name == f"{name}.toml").read_bytes()
    return read_app(data, own=False)


def _files() -> Iterator[Traversable]:
    folder = resources.files("inkseal.apps") / "catalogue"
    yield from (path for path in folder.iterdir() if path.name.endswith(".toml"))
