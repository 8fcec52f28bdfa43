"""A training run of seconds, for tests that stop and kill it; importable by the processes they start."""

import threading
from pathlib import Path
from typing import Any

from inkseal.core.events import Event
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.recipe import Recipe
from picture_maker import make_pictures

SHAPE = {
    "widths": [8, 8, 16],
    "encoder_blocks": [1, 1, 1],
    "decoder_blocks": [1, 1, 1],
    "latent_channels": 4,
    "groups": 4,
}
BEGUN = ".begun"


def small_recipe(**changes: Any) -> Recipe:
    """Returns 60 steps of a tiny autoencoder, with a checkpoint every third step."""
    values = {
        "name": "small",
        "objective": "autoencoder",
        "steps": 60,
        "batch": 4,
        "precision": "no",
        "log_every": 5,
        "checkpoint_every": 3,
        "look_every": 20,
        "optimizer": {"lr": 3e-3},
        "lr_schedule": {"warm_up_steps": 5},
        "config": {"shape": SHAPE},
    }
    return Recipe.model_validate(values | changes)


def train_there(folder: str, recipe: Recipe) -> None:
    """Trains in this process; touches `.begun` in the folder when it has."""

    def listen(event: Event) -> None:
        if event.kind == "started":
            (Path(folder) / BEGUN).touch()

    train(recipe, make_pictures(24), Path(folder), fresh=False, on_event=listen, cancel=threading.Event())


def metric_lines(folder: Path) -> list[str]:
    """Returns the lines of a run's log that follow from its recipe; what a sitting took does not."""
    return [line for line in (folder / "log.jsonl").read_text().splitlines() if "metric_logged" in line]
