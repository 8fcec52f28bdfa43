"""Encodes all pictures once with a trained autoencoder and keeps the latents beside the run, with unit variance."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import Cancelled
from inkseal.core.events import Listener, Progress
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.formats.safetensors import read_header
from inkseal.nets.shapes import AutoencoderShape
from inkseal.store.durable import write_whole
from inkseal.workshop.train.picture_batches import Pictures, to_pixels
from inkseal.workshop.train.run_folder import model_bytes, of_player, read_model
from inkseal.workshop.train.run_log import LOG
from inkseal.workshop.train.trained import Trained, find_trained

if TYPE_CHECKING:
    from torch import Tensor

AUTOENCODER, LATENTS = "autoencoder.safetensors", "latents.safetensors"
MIRRORED = "mirrored"
AUTOENCODER_RECIPE, AUTOENCODER_LOG = "autoencoder-recipe.json", "autoencoder-log.jsonl"
"""Its papers, which stay with the latents when the autoencoder's own run is gone."""
BATCH = 64


class Latents:
    """The latents of every picture of a dataset, and the autoencoder that made them and takes them back to pixels.

    Attributes:
        values: float16 [N, C, H, W], as encoded.
        mirrored: the same of the pictures mirrored left to right; None where they were not asked for.
        mean, std: float32 [C], over the training split.
        step: after how many steps the autoencoder was taken.
    """

    def __init__(self, folder: Path) -> None:
        """Opens what `encode_all` left in the folder."""
        from inkseal.nets.autoencoder import Autoencoder

        facts, tensors = read_model(folder / AUTOENCODER)
        self.step = int(facts["step"])
        self.shape = AutoencoderShape.model_validate(facts["shape"])
        self.autoencoder = Autoencoder(self.shape)
        self.autoencoder.load_state_dict(of_player(tensors))
        self.autoencoder.eval().requires_grad_(False)
        file = read_header(folder / LATENTS)
        self.values = file.tensor("latents").view(np.float16).reshape(file.tensors["latents"].shape)
        self.mirrored = None
        if MIRRORED in file.tensors:
            self.mirrored = file.tensor(MIRRORED).view(np.float16).reshape(self.values.shape)
        self.mean = np.array(json.loads(file.metadata["mean"]), np.float32)
        self.std = np.array(json.loads(file.metadata["std"]), np.float32)

    def of(self, rows: npt.NDArray[np.int64], mirror: npt.NDArray[np.bool_] | None = None) -> "Tensor":
        """Returns latents [B, C, H, W] float32 of zero mean and unit variance in every channel.

        Those of the mirrored picture where `mirror` [B] says so.
        """
        import torch

        values = self.values[rows].astype(np.float32)
        if mirror is not None and self.mirrored is not None:
            values[mirror] = self.mirrored[rows[mirror]]
        return torch.from_numpy((values - self.mean[:, None, None]) / self.std[:, None, None])

    def to_pixels(self, latents: "Tensor") -> "Tensor":
        """Returns pictures [B, 3, S, S] from latents as `of` returns them."""
        import torch

        mean, std = torch.from_numpy(self.mean), torch.from_numpy(self.std)
        return self.autoencoder.decode(latents * std[:, None, None] + mean[:, None, None])

    def facts(self) -> dict[str, Any]:
        """Returns what is needed to decode."""
        return {
            "autoencoder": self.shape.model_dump(mode="json"),
            "latent_mean": self.mean.tolist(),
            "latent_std": self.std.tolist(),
        }


def encode_all(
    data: Pictures,
    runs: Path,
    name: str,
    target: Path,
    on_event: Listener,
    cancel: Cancel,
    *,
    mirrored: bool = False,
) -> Latents:
    """Encodes the dataset with the autoencoder of that name, unless `target` has the latents already.

    The autoencoder is copied: a later, better one would not understand these latents.

    Raises:
        InvalidRequest: there is no trained autoencoder.
        Cancelled: `cancel` was set; nothing is kept.
    """
    if not (target / LATENTS).exists():
        _encode(data, find_trained(runs, name, "autoencoder"), target, on_event, cancel, mirrored=mirrored)
    return Latents(target)


def _encode(
    data: Pictures, trained: Trained, target: Path, on_event: Listener, cancel: Cancel, *, mirrored: bool
) -> None:
    import torch
    from safetensors.numpy import save

    from inkseal.nets.autoencoder import Autoencoder

    model = Autoencoder(AutoencoderShape.model_validate(trained.facts["shape"]))
    model.load_state_dict(of_player(trained.tensors))
    model.eval()
    parts: dict[str, list[npt.NDArray[np.float16]]] = {name: [] for name in ("latents", MIRRORED)[: 1 + mirrored]}
    what = say("Encoding pictures", "编码图片")
    with torch.no_grad():
        for start in range(0, len(data.pixels), BATCH):
            if cancel.is_set():
                raise Cancelled(say("Encoding was stopped.", "编码已停止。"))
            rows = np.arange(start, min(start + BATCH, len(data.pixels)))
            pixels = to_pixels(data, rows)
            for name, part in parts.items():
                seen = pixels.flip(3) if name == MIRRORED else pixels
                part.append(model.encode(seen)[0].numpy().astype(np.float16))
            on_event(Progress(what=what, done=float(rows[-1] + 1), total=len(data.pixels), unit="pictures"))
    tensors = {name: np.concatenate(part) for name, part in parts.items()}
    training = tensors["latents"][data.places("train")].astype(np.float64)
    metadata = {
        "mean": json.dumps(training.mean(axis=(0, 2, 3)).tolist()),
        "std": json.dumps(training.std(axis=(0, 2, 3)).tolist()),
        "autoencoder_sha256": trained.sha256,
    }
    write_whole(target / AUTOENCODER, model_bytes(trained.tensors, trained.facts))
    write_whole(target / AUTOENCODER_RECIPE, json.dumps(trained.facts["recipe"], indent=1).encode())
    if trained.paper(LOG).is_file():
        write_whole(target / AUTOENCODER_LOG, trained.paper(LOG).read_bytes())
    write_whole(target / LATENTS, save(tensors, metadata))
