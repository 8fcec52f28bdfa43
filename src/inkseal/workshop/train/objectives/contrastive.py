"""Trains the text–image encoder: a picture lies nearer to its own caption than to the others of the batch."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.errors import InvalidRequest
from inkseal.core.events import Listener
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.measure.metrics import metrics
from inkseal.nets.shapes import TextImageShape
from inkseal.workshop.train.moved import moved
from inkseal.workshop.train.picture_batches import CHINESE, ENGLISH, Conditions, Pictures, evenly, to_pixels

if TYPE_CHECKING:
    from torch import Tensor

NUM_SCORED = 500


class ContrastiveConfig(ComponentConfig):
    """The two towers."""

    shape: TextImageShape = TextImageShape()
    jitter: float = Field(0.0, ge=0, description="Standard deviation of noise on the pixels, which span 2.")
    shift: float = Field(0.0, ge=0, le=0.5, description="Greatest shift of a picture, as a part of its side.")
    zoom: float = Field(0.0, ge=0, le=0.7, description="Greatest change of a picture's size, as a logarithm.")
    turn: float = Field(0.0, ge=0, le=180, description="Greatest turn of a picture, in degrees.")


class Contrastive:
    """Symmetric cross-entropy over cosines. Source: Radford et al. 2021; van den Oord, Li and Vinyals 2018, eq. 4."""

    name: ClassVar[str] = "contrastive"
    dataset: ClassVar[str] = "pictures"
    config: ClassVar[type[ComponentConfig]] = ContrastiveConfig

    def __init__(self, config: ComponentConfig, data: Pictures, run_dir: Path) -> None:
        """Raises InvalidRequest when the text vectors have another width than the network's."""
        from inkseal.nets.text_image_encoder import TextImageEncoder

        self._config = ContrastiveConfig.model_validate(config.model_dump())
        self._data = data
        self._conditions = Conditions(data)
        self._train = data.places("train")
        width = data.vectors.shape[1]
        if width != self._config.shape.text_width:
            raise InvalidRequest(
                say(f"The dataset needs text_width = {width}.", f"数据集需要 text_width = {width}。"),
                fix=say("Correct the shape in the recipe.", "请在配方的 shape 中更正。"),
            )
        self.modules: dict[str, Any] = {"model": TextImageEncoder(self._config.shape)}

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Has nothing to prepare."""

    def num_examples(self) -> int:
        return len(self._train)

    def batch(self, indices: npt.NDArray[Any], rng: np.random.Generator) -> "Mapping[str, Tensor]":
        """Returns pixels [B, 3, S, S] and the vector of one whole caption each, [B, text_width]."""
        rows = self._train[indices]
        seen = self._conditions.of_captions(rows, self._conditions.choose(rows, rng))
        return {"pixels": to_pixels(self._data, rows), "texts": seen.tokens[:, 0]}

    def loss(self, batch: "Mapping[str, Tensor]", player: str) -> "tuple[Tensor, Mapping[str, Tensor]]":
        import torch

        from inkseal.nets.text_image_encoder import contrastive_loss

        config = self._config
        pixels = moved(batch["pixels"], config.shift, config.zoom, config.turn)
        pixels = pixels + config.jitter * torch.randn_like(pixels)
        logits = self.modules["model"](pixels, batch["texts"])
        loss = contrastive_loss(logits, batch["texts"])
        right = (logits.argmax(1) == torch.arange(len(logits))).float().mean()
        return loss, {"loss": loss, "picked_right": right}

    def evaluate(self) -> Mapping[str, float]:
        """Returns for each language how often a held-out picture is nearer to its own caption than to 99 others'.

        Captions that a training picture bears too are left out, with their pictures. Where fewer differ than 99, it is
        against all of them.
        """
        return {
            f"precision_of_100_{language}": score
            for language, number in (("en", ENGLISH), ("zh", CHINESE))
            if (score := self._precision(number)) is not None
        }

    def _precision(self, language: int) -> float | None:
        rows, captions = self._conditions.untold(evenly(self._data.places("held_out"), NUM_SCORED), language)
        if len(rows) < 2:
            return None
        texts = self._conditions.of_captions(rows, captions).tokens[:, 0]
        model = self.modules["model"]
        parts = [model.encode_pictures(to_pixels(self._data, rows[i : i + 64])) for i in range(0, len(rows), 64)]
        seen = {
            "features": np.concatenate([part.numpy() for part in parts]),
            "text_features": model.encode_texts(texts).numpy(),
            "captions": self._data.captions[captions, 0],
        }
        return metrics["retrieval_precision"]().score(seen, {}).value

    def sheet(self) -> None:
        """Returns nothing: it makes no pictures."""
        return

    def facts(self) -> dict[str, Any]:
        return {"network": "text_image_encoder", "shape": self._config.shape.model_dump(mode="json")}
