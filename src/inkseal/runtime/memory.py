"""Gives memory that was used for a moment back to the machine. Does nothing but on Linux."""

import ctypes
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from typing import ParamSpec, TypeVar

LARGE_BYTES = 4 << 20
_M_MMAP_THRESHOLD = -3
"""Of mallopt(3)."""

P = ParamSpec("P")
T = TypeVar("T")


def giving_back(function: Callable[P, T]) -> Callable[P, T]:
    """Returns the function, after which what it freed is the machine's again.

    The C library (glibc) would keep as much as the largest picture for each thread that ever decoded one.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        _map_large_blocks()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _forget_locals(error)
            raise
        finally:
            _trim()

    return called


def _forget_locals(error: BaseException) -> None:
    """Frees what an error's frames hold: it lives until it has been answered."""
    found: BaseException | None = error
    while found is not None:
        traceback.clear_frames(found.__traceback__)
        found = found.__cause__


@cache
def _map_large_blocks() -> None:
    """Has each large block mapped by itself: of those that lie in a thread's heap, the topmost is never trimmed."""
    _call("mallopt", _M_MMAP_THRESHOLD, LARGE_BYTES)


def _trim() -> None:
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library keeps nothing
            getattr(ctypes.CDLL(None), name)(*arguments)
