"""Finds trained weights by name: those of a run, or with `models/` before it, those of a published picture model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.formats.picture_model import WEIGHTS
from inkseal.formats.safetensors import read_header
from inkseal.workshop.train.run_folder import MODEL, read_model
from inkseal.workshop.train.run_log import LOG, log_lines

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED = "models/"
_PARTS = {
    "diffusion_transformer": ("transformer.", ""),
    "autoencoder": ("autoencoder.", "autoencoder-"),
    "text_image_encoder": ("encoder.", "encoder-"),
}
"""Network → what its weights and its papers begin with in a published model."""


@dataclass(frozen=True)
class Trained:
    """Averaged weights, `model.…` in single precision, and what is known of them.

    Attributes:
        facts: with at least the network's `shape`, the `recipe` and the `step`.
        file: holds the weights.
        log: of the training; may not be there.
    """

    facts: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"
    file: Path
    log: Path


def find_trained(runs: Path, name: str, network: str) -> Trained:
    """Returns the weights of a network, such as "autoencoder", by name.

    Args:
        runs: the folder of runs; that of models lies beside it.
        name: of a run, or `models/` and the name of a model that is here.
        network: which one of the model's; a run has one only.

    Raises:
        InvalidRequest: there is no such run or model, or the model has no such network.
        ModelFileRefused: a file is malformed.
    """
    if not name.startswith(PUBLISHED):
        facts, tensors = read_model(runs / name / MODEL)
        return Trained(facts, tensors, runs / name / MODEL, runs / name / LOG)
    return _of_published(runs.parent / name, network)


def _of_published(folder: Path, network: str) -> Trained:
    import torch

    prefix, papers = _PARTS.get(network, ("", ""))
    shapes: dict[str, Any] = {}
    if (folder / WEIGHTS).is_file():
        file = read_header(folder / WEIGHTS)
        shapes = json.loads(file.metadata.get("shapes", "{}"))
    if not prefix or prefix.rstrip(".") not in shapes:
        raise InvalidRequest(
            say(f"{PUBLISHED}{folder.name} has no {network}.", f"{PUBLISHED}{folder.name} 中没有 {network}。"),
            fix=say("Name a run, or a picture model that is here.", "请给出运行，或已在本机的图片模型。"),
        )
    tensors = {
        f"model.{key.removeprefix(prefix)}": torch.from_numpy(file.tensor(key).view("f2").astype("f4")).reshape(
            about.shape
        )
        for key, about in file.tensors.items()
        if key.startswith(prefix)
    }
    recipe = json.loads((folder / f"{papers}recipe.json").read_bytes())
    log = folder / f"{papers}{LOG}"
    step = max((line.get("step") or 0 for _, line in log_lines(log)), default=0)
    facts = {"network": network, "shape": shapes[prefix.rstrip(".")], "recipe": recipe, "step": step}
    return Trained(facts, tensors, folder / WEIGHTS, log)
