"""Finds trained weights by name: those of a run, or with `models/` before it, those of a published picture model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.catalog.shelf import Shelf
from inkseal.catalog.verify import hash_file, verify_files
from inkseal.core.errors import InvalidRequest, ModelFileRefused
from inkseal.core.language import say
from inkseal.formats.picture_model import WEIGHTS, read_picture_model
from inkseal.formats.safetensors import read_header
from inkseal.workshop.train.run_folder import MODEL, read_model
from inkseal.workshop.train.run_log import LOG, log_lines

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED = "models/"
_PARTS = {
    "diffusion_transformer": ("transformer", ""),
    "autoencoder": ("autoencoder", "autoencoder-"),
    "text_image_encoder": ("encoder", "encoder-"),
}
"""Network → the name of its weights, and what the names of its papers begin with, in a published model."""


@dataclass(frozen=True)
class Trained:
    """Averaged weights, `model.…` in single precision, and what is known of them.

    Attributes:
        facts: with at least the network's `shape`, the `recipe` and the `step`.
        sha256: of the file that holds the weights.
        folder: of the run or of the model.
        prefix: what the names of this network's papers begin with.
    """

    facts: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"
    sha256: str
    folder: Path
    prefix: str = ""

    def paper(self, name: str) -> Path:
        """Returns where a file such as the log lies; it need not be there."""
        return self.folder / f"{self.prefix}{name}"


def find_trained(runs: Path, name: str, network: str) -> Trained:
    """Returns the weights of a network, such as "autoencoder", by name.

    Args:
        runs: the folder of runs; that of models lies beside it.
        name: of a run, or `models/` and the name of a model that is here.
        network: which one of the model's; a run has one only.

    Raises:
        InvalidRequest: there is no such run or model, or the model has no such network.
        ModelFileRefused: a file is malformed, or not the one that was published.
    """
    if name.startswith(PUBLISHED):
        return _of_published(Shelf(runs.parent), name.removeprefix(PUBLISHED), network)
    folder = runs / name
    sha256 = hash_file(folder / MODEL) if (folder / MODEL).is_file() else ""
    facts, tensors = read_model(folder / MODEL)
    return Trained(facts, tensors, sha256, folder)


def _of_published(shelf: Shelf, name: str, network: str) -> Trained:
    import torch

    installed = shelf.installed(name)
    if installed is None:
        raise InvalidRequest(
            say(f"There is no model {name!r} here.", f"本机没有模型 {name!r}。"),
            fix=say("Fetch it first: inkseal models pull.", "请先获取：inkseal models pull。"),
        )
    folder = shelf.folder(name)
    verify_files(folder, {file.name: file.sha256 for file in installed.card.files})
    part, prefix = _PARTS.get(network, ("", ""))
    shapes: dict[str, Any] = {}
    if (folder / WEIGHTS).is_file():
        file = read_header(folder / WEIGHTS)
        shapes = json.loads(file.metadata.get("shapes", "{}"))
    if part not in shapes:
        raise InvalidRequest(
            say(f"The model {name!r} has no network {network!r}.", f"模型 {name!r} 中没有网络 {network!r}。")
        )
    mine = {key: about for key, about in file.tensors.items() if key.startswith(f"{part}.")}
    if not (folder / f"{prefix}recipe.json").is_file() or {about.type_name for about in mine.values()} != {"F16"}:
        raise ModelFileRefused(
            say(f"{name!r} was not published from runs of this product.", f"{name!r} 不是由本产品的运行发布的。")
        )
    halves = {key: file.tensor(key).view(np.float16).reshape(about.shape) for key, about in mine.items()}
    facts = {
        "network": network,
        "shape": shapes[part],
        "recipe": json.loads((folder / f"{prefix}recipe.json").read_bytes()),
        "step": _step(file.metadata, part, folder / f"{prefix}{LOG}"),
        "data_sha256": file.metadata.get("data_sha256", ""),
    }
    if part == "transformer":
        facts["styles"] = list(read_picture_model(folder).styles)
        facts |= {"averaged": json.loads(file.metadata["averaged"])} if "averaged" in file.metadata else {}
    tensors = {
        f"model.{key.removeprefix(f'{part}.')}": torch.from_numpy(half.astype(np.float32))
        for key, half in halves.items()
    }
    return Trained(facts, tensors, hash_file(folder / WEIGHTS), folder, prefix)


def _step(metadata: Mapping[str, str], part: str, log: Path) -> int:
    """Returns after how many steps a published network was taken; older files know it by the log's last line only."""
    steps: dict[str, int] = json.loads(metadata.get("steps", "{}"))
    return steps.get(part) or max((line.get("step") or 0 for _, line in log_lines(log)), default=0)
