"""Trains the conditional GAN, for comparison: two players, of which one makes pictures and the other judges them."""

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
from inkseal.workshop.train.picture_batches import CaptionedPictures, Condition, Pictures

if TYPE_CHECKING:
    from torch import Tensor

NUM_SCORED = 256


class AdversarialConfig(ComponentConfig):
    """Both networks' shape, and how often the condition is hidden from both."""

    shape: ConditionalShape = ConditionalShape()
    drop_condition: float = Field(0.05, ge=0, le=1)
    drop_style: float = Field(0.2, ge=0, le=1)


class Adversarial:
    """Hinge losses. Source: Goodfellow et al. 2014, algorithm 1; Miyato et al. 2018, eq. 16 and 17."""

    name: ClassVar[str] = "adversarial"
    dataset: ClassVar[str] = "pictures"
    config: ClassVar[type[ComponentConfig]] = AdversarialConfig

    def __init__(self, config: ComponentConfig, data: Pictures, run_dir: Path) -> None:
        from inkseal.nets.adversarial import Discriminator, Generator

        self._config = AdversarialConfig.model_validate(config.model_dump())
        self._pictures = CaptionedPictures(data, self._config.shape)
        shape = self._config.shape
        self.modules: dict[str, Any] = {"discriminator": Discriminator(shape), "generator": Generator(shape)}

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Has nothing to prepare."""

    def num_examples(self) -> int:
        return self._pictures.num_examples()

    def batch(self, indices: npt.NDArray[Any], rng: np.random.Generator) -> "Mapping[str, Tensor]":
        """Returns pixels and conditions of which some are hidden."""
        return self._pictures.batch(indices, rng, self._config.drop_condition, self._config.drop_style)

    def loss(self, batch: "Mapping[str, Tensor]", player: str) -> "tuple[Tensor, Mapping[str, Tensor]]":
        import torch

        from inkseal.nets.adversarial import hinge_of_discriminator, hinge_of_generator

        seen = Condition(batch["tokens"], batch["mask"], batch["style"])
        judge = self.modules["discriminator"]
        noise = torch.randn(len(seen.mask), self._config.shape.noise_width)
        with torch.set_grad_enabled(player == "generator"):
            made = self.modules["generator"](noise, *seen)
        if player == "generator":
            loss = hinge_of_generator(judge(made, *seen).float())
            return loss, {"loss": loss}
        real_score, made_score = judge(batch["pixels"], *seen).float(), judge(made, *seen).float()
        loss = hinge_of_discriminator(real_score, made_score)
        right = torch.cat([real_score > 0, made_score < 0]).float().mean()
        return loss, {"loss": loss, "right": right}

    def evaluate(self) -> Mapping[str, float]:
        """Returns the discriminator's mean score of held-out pictures."""
        judge, scores = self.modules["discriminator"], []
        for batch in self._pictures.held_out(NUM_SCORED):
            scores += judge(batch["pixels"], batch["tokens"], batch["mask"], batch["style"]).float().tolist()
        return {"score": float(np.mean(scores))} if scores else {}

    def sheet(self) -> npt.NDArray[np.uint8]:
        """Returns rows of pictures, each above what its caption makes."""
        network, width = self.modules["generator"], self._config.shape.noise_width
        return self._pictures.sheet(lambda noise, seen: network(noise, *seen), width)

    def facts(self) -> dict[str, Any]:
        shape = self._config.shape.model_dump(mode="json")
        return {"network": "adversarial", "shape": shape, "styles": list(self._pictures.styles)}
