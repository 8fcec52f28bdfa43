"""Publishes runs of a data folder: hands its runs, datasets and shelf to what makes the model."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from inkseal.catalog.shelf import Shelf
from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel
from inkseal.workshop.publish.picture import Published, publish_picture
from inkseal.workshop.runs import open_dataset


def publish_runs(
    names: Sequence[str],
    data_dir: Path,
    name: str,
    *,
    sampling: Mapping[str, float] | None = None,
    on_event: Listener,
    cancel: Cancel,
) -> Published:
    """Publishes runs of `<data_dir>/runs` as the model `<data_dir>/models/<name>`; see `publish_picture`.

    Raises:
        InksealError: whatever `publish_picture` and `open_dataset` raise.
    """
    open_data = partial(_open_pictures, data_dir / "datasets")
    shelf, runs = Shelf(data_dir), data_dir / "runs"
    return publish_picture(runs, names, open_data, shelf, name, sampling=sampling, on_event=on_event, cancel=cancel)


def _open_pictures(datasets: Path, name: str) -> Any:
    return open_dataset("pictures", datasets / name)
