"""Two small picture runs, an autoencoder's and a flow's, and the dataset they were trained on; importable by tests."""

import threading
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from inkseal.core.events import ignore
from inkseal.workshop.data.card import Card
from inkseal.workshop.train.loop import train
from inkseal.workshop.train.recipe import Recipe
from picture_maker import MadePictures, make_pictures
from small_run import SHAPE

NEVER = threading.Event()
FLOW_SHAPE = {"channels": 4, "side": 8, "width": 32, "depth": 2, "heads": 2, "num_styles": 3}
ENCODER_SHAPE = {"widths": [8, 8, 16], "blocks": [1, 1, 1], "shared_width": 16, "groups": 4}


@dataclass(frozen=True)
class CardedPictures(MadePictures):
    """Fits `inkseal.workshop.publish.picture.PublishedPictures`."""

    card: Card

    @property
    def sha256(self) -> str:
        """Returns what the card says."""
        return self.card.sha256

    def places(self, split: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Returns the first 24 pictures as trained on, the next 6 for choosing, the rest as held out."""
        rows = np.arange(len(self.pixels))
        return {"train": rows[:24], "validation": rows[24:30], "held_out": rows[30:]}[split]


def carded_pictures(embedding_sha256: str = "0" * 64, seed: int = 0) -> CardedPictures:
    """Returns 40 made pictures with a card that names an embedding model."""
    made = make_pictures(40, seed=seed)
    # Weights of a small run say nothing; words in their captions should still tell pictures apart.
    card = Card(
        name="pictures",
        sha256="1" * 64,
        files={},
        num_pictures=40,
        num_coloured=0,
        num_captions=len(made.captions),
        num_texts=len(made.vectors),
        num_concepts=12,
        by_split={"train": 24, "validation": 6, "held_out": 10},
        by_licence={"MIT": 40},
        by_collection={"made": 40},
        by_style={"flat": 20, "outline": 20},
        captions_by_language={"en": 40, "zh": 80},
        captions_by_origin={},
        left_out={},
        missing={},
        attributions={"made": "nobody"},
        archives={},
        embedding={"model": "use-multilingual-3", "sha256": embedding_sha256},
    )
    return CardedPictures(**{field.name: getattr(made, field.name) for field in fields(made)}, card=card)


def recipe(name: str, objective: str, config: dict[str, Any], **changes: Any) -> Recipe:
    """Returns a recipe of a few steps."""
    values = {"name": name, "objective": objective, "batch": 4, "precision": "no", "steps": 6, "log_every": 2}
    values |= {"checkpoint_every": 6, "look_every": 6, "optimizer": {"lr": 3e-3}, "averaging": 0.5}
    return Recipe.model_validate(values | {"lr_schedule": {"warm_up_steps": 2}, "config": config} | changes)


def train_pictures(runs: Path, data: MadePictures, *, encoder: bool = False) -> None:
    """Trains `vae`, `flow` and, if asked, `clip` in the folder `runs`."""
    wanted = [
        recipe("vae", "autoencoder", {"shape": SHAPE}),
        recipe("flow", "flow_matching", {"autoencoder": "vae", "shape": FLOW_SHAPE, "sheet_steps": 2}),
    ]
    if encoder:
        wanted.append(recipe("clip", "contrastive", {"shape": ENCODER_SHAPE}, batch=8))
    for one in wanted:
        train(one, data, runs / one.name, fresh=False, on_event=ignore, cancel=NEVER, data_sha256=data.sha256)


def noisy(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns fixed noise."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
