"""Makes a data folder as an earlier version left it."""

import shutil
from pathlib import Path

import pytest

from inkseal.store import schema
from inkseal.store.store import Store


def old_records(data_dir: Path, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the folder with the schema up to the revision `last`."""
    known = data_dir.with_name(f"{data_dir.name}-migrations")
    shutil.copytree(Path(schema.__file__).parent / "migrations", known)
    for path in (known / "versions").glob("v0*.py"):
        if path.stem[: len(last)] > last:
            path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_MIGRATIONS", known)
        Store.open(data_dir).close()
