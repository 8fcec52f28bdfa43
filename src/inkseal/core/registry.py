"""A folder of plug-ins as a lazy mapping from name to class: one file each, found without a table."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from inkseal.core.errors import UnknownName

T = TypeVar("T")


class Registry(Mapping[str, type[T]], Generic[T]):
    """Maps each file `some_name.py` of a package to the class `SomeName` inside it.

    Other distributions add plug-ins with an entry point in the group `inkseal.<kind>`, whose name is the plug-in's.
    Nothing is imported until a plug-in is asked for.
    """

    def __init__(self, package: str, kind: str) -> None:
        self.package = package
        self.kind = kind

    def _files(self) -> set[str]:
        return _modules(tuple(importlib.import_module(self.package).__path__))

    def _entries(self) -> dict[str, EntryPoint]:
        return _installed(f"inkseal.{self.kind}s", tuple(sys.path))

    def __getitem__(self, name: str) -> type[T]:
        """Returns the class of the plug-in.

        Raises:
            UnknownName: there is no such plug-in; the message offers the nearest.
        """
        if name in self._files():
            module = importlib.import_module(f"{self.package}.{name}")
            found: type[T] = getattr(module, "".join(word.capitalize() for word in name.split("_")))
            return found
        entries = self._entries()
        if name in entries:
            loaded: type[T] = entries[name].load()
            return loaded
        raise UnknownName(self.kind, name, self)

    def __contains__(self, name: object) -> bool:
        return name in self._files() or name in self._entries()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files() | set(self._entries())))

    def __len__(self) -> int:
        return len(self._files() | set(self._entries()))


@lru_cache(maxsize=64)
def _modules(path: tuple[str, ...]) -> set[str]:
    return {module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_")}


@lru_cache(maxsize=64)
def _installed(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Returns the entry points of a group; once for a search path, since a look reads every distribution's files."""
    return {entry.name: entry for entry in entry_points(group=group)}
