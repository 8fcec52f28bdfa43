"""Versions of installed packages, looked up once: each look reads a distribution's files."""

from functools import cache
from importlib import metadata


@cache
def version(package: str) -> str:
    """Returns the installed version.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.
    """
    return metadata.version(package)
