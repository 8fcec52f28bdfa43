"""A dataset's folder appears whole or not at all: built beside its place, and put there by renaming."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkseal.store.durable import disk_errors, make_folder, sync_file, sync_folder
from inkseal.store.lock import FileLock


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yields an empty folder to build in, which takes the place of `folder` when the block ends well.

    A build that dies leaves the earlier dataset as it was; rubbish of a dead build is removed by the next.

    Raises:
        InUse: another process builds the same dataset.
        NotEnoughSpace, StoreError: the disk cannot take it.
    """
    parent, name = folder.parent, folder.name
    make_folder(parent)
    building, before = parent / f".{name}.building", parent / f".{name}.before"
    lock = FileLock(parent / f".{name}.lock", what=str(folder))
    lock.acquire()
    try:
        with disk_errors(folder):
            restore(folder)
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(mode=0o700)
            yield building
            for path in building.iterdir():
                sync_file(path)
            sync_folder(building)
            if folder.exists():
                folder.rename(before)
            building.rename(folder)
            sync_folder(parent)
            shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        lock.release()


def restore(folder: Path) -> None:
    """Puts the earlier dataset back when a build died between its two renames."""
    before = folder.parent / f".{folder.name}.before"
    if before.is_dir():
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)
        else:
            before.rename(folder)
