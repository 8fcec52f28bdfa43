"""Trains the conditional variational autoencoder, for comparison: a picture given its caption, through one vector."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel
from inkseal.nets.shapes import ConditionalShape
from inkseal.workshop.train.picture_batches import CaptionedPictures, Pictures

if TYPE_CHECKING:
    from torch import Tensor

NUM_SCORED = 256


class ConditionalAutoencoderConfig(ComponentConfig):
    """Weights of the two parts of the bound."""

    shape: ConditionalShape = ConditionalShape()
    absolute: float = Field(1.0, ge=0, description="Weight of the mean absolute error.")
    squared: float = Field(2.0, ge=0, description="Weight of the mean squared error.")
    kl: float = Field(2e-4, ge=0, description="Weight of a picture's divergence from N(0, 1), summed, in nats.")
    drop_condition: float = Field(0.1, ge=0, le=1)
    drop_style: float = Field(0.2, ge=0, le=1)


class ConditionalAutoencoder:
    """Reconstruction and KL. Source: Sohn, Lee and Yan 2015, eq. 4, with a prior that does not see the condition."""

    name: ClassVar[str] = "conditional_autoencoder"
    dataset: ClassVar[str] = "pictures"
    config: ClassVar[type[ComponentConfig]] = ConditionalAutoencoderConfig

    def __init__(self, config: ComponentConfig, data: Pictures, run_dir: Path) -> None:
        from inkseal.nets.autoencoder import ConditionalAutoencoder as Network

        self._config = ConditionalAutoencoderConfig.model_validate(config.model_dump())
        self._pictures = CaptionedPictures(data, self._config.shape)
        self.modules: dict[str, Any] = {"model": Network(self._config.shape)}

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Has nothing to prepare."""

    def num_examples(self) -> int:
        return self._pictures.num_examples()

    def batch(self, indices: npt.NDArray[Any], rng: np.random.Generator) -> "Mapping[str, Tensor]":
        """Returns pixels and conditions of which some are hidden."""
        return self._pictures.batch(indices, rng, self._config.drop_condition, self._config.drop_style)

    def loss(self, batch: "Mapping[str, Tensor]", player: str) -> "tuple[Tensor, Mapping[str, Tensor]]":
        from inkseal.nets.autoencoder import kl_to_standard_normal

        pixels = batch["pixels"]
        out, mean, log_variance = self.modules["model"](pixels, batch["tokens"], batch["mask"], batch["style"])
        error = out - pixels
        kl = kl_to_standard_normal(mean, log_variance).sum(1).mean()
        absolute, squared = error.abs().mean(), error.square().mean()
        loss = self._config.absolute * absolute + self._config.squared * squared + self._config.kl * kl
        return loss, {"loss": loss, "absolute": absolute, "squared": squared, "kl": kl}

    def evaluate(self) -> Mapping[str, float]:
        """Returns held-out errors of pictures that went through the latent's mean."""
        model, errors = self.modules["model"], []
        for batch in self._pictures.held_out(NUM_SCORED):
            pooled = model.condition(batch["tokens"], batch["mask"], batch["style"])
            mean, _ = model.encode(batch["pixels"], pooled)
            errors += (model.decode(mean, pooled) - batch["pixels"]).square().mean(dim=(1, 2, 3)).tolist()
        return {"squared": float(np.mean(errors))} if errors else {}

    def sheet(self) -> npt.NDArray[np.uint8]:
        """Returns rows of pictures, each above what its caption alone makes."""
        network, width = self.modules["model"], self._config.shape.noise_width
        return self._pictures.sheet(
            lambda noise, seen: network.generate(noise, seen.tokens, seen.mask, seen.style), width
        )

    def facts(self) -> dict[str, Any]:
        shape = self._config.shape.model_dump(mode="json")
        return {"network": "conditional_autoencoder", "shape": shape, "styles": list(self._pictures.styles)}
