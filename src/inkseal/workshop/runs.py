"""Starts a recipe in a data folder: finds the run's folder and the dataset, and hands both to the loop."""

from pathlib import Path
from typing import Any

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.workshop.train.loop import Outcome, train
from inkseal.workshop.train.objectives import objectives
from inkseal.workshop.train.recipe import Recipe


def run_recipe(recipe: Recipe, data_dir: Path, *, fresh: bool, on_event: Listener, cancel: Cancel) -> Outcome:
    """Trains in `<data_dir>/runs/<name>` on `<data_dir>/datasets/<dataset>`; see `train`.

    Raises:
        InvalidRequest: the dataset is not there.
        InksealError: whatever `train` raises.
    """
    kind = objectives[recipe.objective].dataset
    data = open_dataset(kind, data_dir / "datasets" / recipe.dataset)
    folder = data_dir / "runs" / recipe.name
    return train(recipe, data, folder, fresh=fresh, on_event=on_event, cancel=cancel, data_sha256=data.sha256)


def open_dataset(kind: str, folder: Path) -> Any:
    """Returns the opened dataset of this kind.

    Raises:
        InvalidRequest: there is no such folder.
        Unsupported: nobody knows how to open this kind.
    """
    if not folder.is_dir():
        raise InvalidRequest(
            say(f"There is no dataset at {folder}.", f"{folder} 处没有数据集。"),
            fix=say("Build it first: inkseal data --help.", "请先构建：inkseal data --help。"),
        )
    if kind == "pictures":
        from inkseal.workshop.data.pictures import PictureSet

        return PictureSet.open(folder)
    raise Unsupported(say(f"Datasets of the kind {kind!r} cannot be opened yet.", f"尚不能打开 {kind!r} 类数据集。"))
