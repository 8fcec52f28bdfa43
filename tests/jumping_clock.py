"""`inkseal` under a clock that a test sets: the seconds in the file CLOCK_FILE are added to the machine's own time.

What passes by itself (`time.monotonic` and its like) goes on as it does when somebody sets a machine's clock.
"""

import builtins
import datetime
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FILE = Path(os.environ["CLOCK_FILE"])
real_import, real_seconds, real_ns = builtins.__import__, time.time, time.time_ns


def ahead() -> float:
    """Returns by how many seconds the clock is ahead now."""
    return float(FILE.read_text() or 0)


class _Kind(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, datetime.datetime)


class SetDatetime(datetime.datetime, metaclass=_Kind):
    """The standard class by the clock that was set; what it returns is of the standard class."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=ahead())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.datetime_schema()


OURS = SimpleNamespace(**vars(datetime) | {"datetime": SetDatetime})


def given(name: str, scope: Any = None, *more: Any, **named: Any) -> Any:
    """Imports as ever, but gives our modules the clock that was set; compiled libraries insist on the real class."""
    if name == "datetime" and str((scope or {}).get("__name__", "")).startswith("inkseal"):
        return OURS
    return real_import(name, scope, *more, **named)


if __name__ == "__main__":
    builtins.__import__ = given
    time.time = lambda: real_seconds() + ahead()
    time.time_ns = lambda: real_ns() + int(ahead() * 1e9)

    from inkseal.cli import main

    sys.exit(main())  # type: ignore[func-returns-value]
