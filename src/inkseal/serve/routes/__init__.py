"""Route groups, one per file, mounted by being there.

A file has a `router` (an APIRouter). It may have `error_shape(request, refusal)`, which renders errors under its paths
in its protocol's own shape, `UPLOADS`, the paths that take a body that is not JSON, and `OPEN`, the paths
that are answered without a key.
"""

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fastapi import APIRouter

from inkseal.serve.errors import Refusal, native_shape

Shape = Callable[[Any, Refusal], dict[str, Any]]


@dataclass(frozen=True)
class Group:
    """One file of this folder."""

    name: str
    router: APIRouter
    shape: Shape
    uploads: frozenset[str]
    open: frozenset[str]


def groups() -> Iterator[Group]:
    """Yields every route group, by name."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if found.name.startswith("_"):
            continue
        module = import_module(f"{__name__}.{found.name}")
        if hasattr(module, "router"):
            yield Group(
                name=found.name,
                router=module.router,
                shape=getattr(module, "error_shape", native_shape),
                uploads=frozenset(getattr(module, "UPLOADS", ())),
                open=frozenset(getattr(module, "OPEN", ())),
            )
