"""Trains the picture autoencoder: what goes in should come out, sharp, through latents that are nearly normal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel
from inkseal.nets.shapes import AutoencoderShape
from inkseal.workshop.train.picture_batches import Pictures, evenly, side_by_side, to_pixels, to_sheet

if TYPE_CHECKING:
    from torch import Tensor

NUM_HELD_OUT = 512
NUM_SHOWN = 24


class AutoencoderConfig(ComponentConfig):
    """Weights of the parts of the loss, and how pictures are varied."""

    shape: AutoencoderShape = AutoencoderShape()
    absolute: float = Field(1.0, ge=0, description="Weight of the mean absolute error.")
    squared: float = Field(2.0, ge=0, description="Weight of the mean squared error.")
    gradient: float = Field(1.0, ge=0, description="Weight of the absolute error of differences between neighbours.")
    kl: float = Field(5e-4, ge=0, description="Weight of the divergence from N(0, 1), a latent number's mean, in nats.")
    mirror: float = Field(0.5, ge=0, le=1, description="Part of the pictures that are mirrored.")
    swap_colours: float = Field(
        0.2, ge=0, le=1, description="Part of the pictures whose colour channels change places."
    )


class Autoencoder:
    """absolute + squared + gradient error + a small KL.

    Source: Kingma and Welling 2014; the gradient term: Mathieu, Couprie and LeCun 2016, "Deep multi-scale video
    prediction beyond mean square error", eq. 6 with exponent 1.
    """

    name: ClassVar[str] = "autoencoder"
    dataset: ClassVar[str] = "pictures"
    config: ClassVar[type[ComponentConfig]] = AutoencoderConfig

    def __init__(self, config: ComponentConfig, data: Pictures, run_dir: Path) -> None:
        from inkseal.nets.autoencoder import Autoencoder as Network

        self._config = AutoencoderConfig.model_validate(config.model_dump())
        self._data = data
        self._train = data.places("train")
        self._held_out = evenly(data.places("held_out"), NUM_HELD_OUT)
        self.modules: dict[str, Any] = {"model": Network(self._config.shape)}

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Has nothing to prepare."""

    def num_examples(self) -> int:
        return len(self._train)

    def batch(self, indices: npt.NDArray[Any], rng: np.random.Generator) -> "Mapping[str, Tensor]":
        """Returns pixels [B, 3, S, S] in [-1, 1]."""
        pixels = to_pixels(self._data, self._train[indices])
        return {"pixels": vary(pixels, rng, self._config.mirror, self._config.swap_colours)}

    def loss(self, batch: "Mapping[str, Tensor]", player: str) -> "tuple[Tensor, Mapping[str, Tensor]]":
        from inkseal.nets.autoencoder import kl_to_standard_normal

        pixels = batch["pixels"]
        out, mean, log_variance = self.modules["model"](pixels)
        parts = reconstruction_errors(out, pixels)
        kl = kl_to_standard_normal(mean, log_variance).mean()
        config = self._config
        loss = config.absolute * parts["absolute"] + config.squared * parts["squared"]
        loss = loss + config.gradient * parts["gradient"] + config.kl * kl
        return loss, {"loss": loss, "kl": kl, "psnr_db": psnr_db(parts["squared"]), **parts}

    def evaluate(self) -> Mapping[str, float]:
        """Returns how held-out pictures come out of their latents' means, in two readings of PSNR.

        `psnr_db` is the mean of each picture's own; `pooled_psnr_db` is that of the mean error, which hard pictures
        rule.
        """
        import torch

        parts = []
        for start in range(0, len(self._held_out), 32):
            pixels = to_pixels(self._data, self._held_out[start : start + 32])
            parts.append((self._reconstruct(pixels).clamp(-1, 1) - pixels).square().mean(dim=(1, 2, 3)))
        if not parts:
            return {}
        errors = torch.cat(parts)
        return {"psnr_db": psnr_db(errors).mean().item(), "pooled_psnr_db": psnr_db(errors.mean()).item()}

    def sheet(self) -> npt.NDArray[np.uint8]:
        """Returns rows of held-out pictures, each above what came out."""
        pixels = to_pixels(self._data, evenly(self._held_out, NUM_SHOWN))
        return to_sheet(side_by_side(pixels, self._reconstruct(pixels)))

    def facts(self) -> dict[str, Any]:
        return {"network": "autoencoder", "shape": self._config.shape.model_dump(mode="json")}

    def _reconstruct(self, pixels: "Tensor") -> "Tensor":
        model = self.modules["model"]
        mean, _ = model.encode(pixels)
        out: Tensor = model.decode(mean)
        return out


def reconstruction_errors(out: "Tensor", pixels: "Tensor") -> "dict[str, Tensor]":
    """Returns the mean absolute, squared, and gradient error of pictures [B, 3, H, W]."""
    error = out - pixels
    return {
        "absolute": error.abs().mean(),
        "squared": error.square().mean(),
        "gradient": error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean(),
    }


def psnr_db(squared_error: "Tensor") -> "Tensor":
    """Returns the peak signal-to-noise ratio in dB; the peak is 2, since values lie in [-1, 1]."""
    return 10 * (4 / squared_error.clamp(min=1e-10)).log10()


def vary(pixels: "Tensor", rng: np.random.Generator, mirror: float, swap_colours: float) -> "Tensor":
    """Returns the pictures, some mirrored, some with their colour channels in another order."""
    import torch

    draws = rng.random((2, len(pixels)))
    flipped = torch.from_numpy(draws[0] < mirror)[:, None, None, None]
    pixels = torch.where(flipped, pixels.flip(3), pixels)
    orders = np.tile(np.arange(3), (len(pixels), 1))
    swapped = draws[1] < swap_colours
    orders[swapped] = rng.permuted(orders[swapped], axis=1)
    return pixels.gather(1, torch.from_numpy(orders)[:, :, None, None].expand_as(pixels))
