"""Trains the diffusion transformer: from a point between latent and noise, which way does the noise lie?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.events import Listener
from inkseal.core.protocols import Cancel
from inkseal.nets.shapes import DiffusionTransformerShape
from inkseal.studio.generate.diffusion.guidance import guided
from inkseal.studio.generate.diffusion.solvers import solvers
from inkseal.studio.generate.diffusion.times import times
from inkseal.workshop.train.latents import Latents, encode_all
from inkseal.workshop.train.picture_batches import (
    CHINESE,
    Conditions,
    Pictures,
    drop_condition,
    evenly,
    side_by_side,
    to_pixels,
    to_sheet,
)
from inkseal.workshop.train.recipe import TrainedName
from inkseal.workshop.train.varied import may_mirror, vary_condition

if TYPE_CHECKING:
    from torch import Tensor

NUM_SCORED = 512
NUM_SHOWN = 16


class FlowMatchingConfig(ComponentConfig):
    """Which latents, which network, and how often the condition is hidden."""

    autoencoder: TrainedName = Field("picture-autoencoder", description="Run, or models/NAME, that makes the latents.")
    shape: DiffusionTransformerShape = DiffusionTransformerShape()
    time_mean: float = Field(0.0, description="Mean of the times' logits; above 0 is nearer to the noise.")
    time_scale: float = Field(1.0, gt=0)
    drop_condition: float = Field(0.12, ge=0, le=1, description="Part of the examples that see no condition.")
    drop_style: float = Field(0.2, ge=0, le=1, description="Part of the others that see no style.")
    mirror: float = Field(
        0.0, ge=0, le=0.5, description="Part of the pictures that are mirrored, where that is no lie."
    )
    hide_words: float = Field(0.0, ge=0, lt=1, description="Part of a caption's vectors that are hidden one by one.")
    text_noise: float = Field(0.0, ge=0, description="Length of what is added to each text vector, of length 1.")
    sheet_steps: int = Field(20, ge=1)
    sheet_guidance: float = Field(3.0, ge=0)
    sheet_autoguidance: float = Field(0.0, ge=0, description="How far sheets are led away from the sketch alone.")
    sheet_solver: str = "dpm_solver"


class FlowMatching:
    """Mean squared error of the velocity on straight paths, at logit-normal times.

    Source: Lipman et al. 2023, eq. 23; Esser et al. 2024, section 3.1; condition dropout: Ho and Salimans 2022.
    """

    name: ClassVar[str] = "flow_matching"
    dataset: ClassVar[str] = "pictures"
    config: ClassVar[type[ComponentConfig]] = FlowMatchingConfig

    def __init__(self, config: ComponentConfig, data: Pictures, run_dir: Path) -> None:
        from inkseal.nets.diffusion_transformer import DiffusionTransformer

        self._config = FlowMatchingConfig.model_validate(config.model_dump())
        self._solver = solvers[self._config.sheet_solver]()
        self._data = data
        self._run_dir = run_dir
        self._conditions = Conditions(data)
        self._conditions.check(self._config.shape)
        self._train = data.places("train")
        self._may_mirror = may_mirror(data)
        self._latents: Latents | None = None
        self.modules: dict[str, Any] = {"model": DiffusionTransformer(self._config.shape)}

    def prepare(self, on_event: Listener, cancel: Cancel) -> None:
        """Encodes the pictures.

        Raises:
            InvalidRequest: the autoencoder is not trained, or its latents are not of the network's shape.
        """
        runs, name = self._run_dir.parent, self._config.autoencoder
        mirrored = self._config.mirror > 0
        self._latents = encode_all(self._data, runs, name, self._run_dir, on_event, cancel, mirrored=mirrored)
        shape = self._config.shape
        check_latents(self._latents.values.shape[1:], (shape.channels, shape.side, shape.side))

    @property
    def latents(self) -> Latents:
        assert self._latents is not None, "prepare() comes first"
        return self._latents

    def num_examples(self) -> int:
        return len(self._train)

    def batch(self, indices: npt.NDArray[Any], rng: np.random.Generator) -> "Mapping[str, Tensor]":
        """Returns latents, and conditions of which some are hidden, both varied as the recipe says."""
        rows = self._train[indices]
        seen = self._conditions.of_captions(rows, self._conditions.choose(rows, rng))
        config = self._config
        hidden = drop_condition(seen, rng, config.drop_condition, config.drop_style)
        if config.hide_words or config.text_noise:
            hidden = vary_condition(hidden, rng, config.hide_words, config.text_noise)
        mirror = (rng.random(len(rows)) < config.mirror) & self._may_mirror[rows] if config.mirror else None
        return {"latents": self.latents.of(rows, mirror), **hidden._asdict()}

    def loss(self, batch: "Mapping[str, Tensor]", player: str) -> "tuple[Tensor, Mapping[str, Tensor]]":
        import torch

        from inkseal.nets.noise_schedules import logit_normal_times

        latents = batch["latents"]
        t = logit_normal_times(len(latents), self._config.time_mean, self._config.time_scale)
        error = self._errors(batch, t, torch.randn_like(latents)).mean()
        return error, {"loss": error}

    def evaluate(self) -> Mapping[str, float]:
        """Returns the loss on both untrained splits, at logit-normal times and with noise that are the same every time.

        Captions are names in English, or Chinese where there is none; for what ends with `_zh`, Chinese alone.
        """
        return {
            f"{split}_loss{ending}": value
            for split in ("validation", "held_out")
            for ending, language in (("", None), ("_zh", CHINESE))
            if (value := self._score(evenly(self._data.places(split), NUM_SCORED), language)) is not None
        }

    def sheet(self) -> npt.NDArray[np.uint8]:
        """Returns rows of pictures, trained and held-out ones, each above what is made of its caption."""
        import torch

        rows = np.concatenate([evenly(self._train, NUM_SHOWN), evenly(self._data.places("held_out"), NUM_SHOWN)])
        captions = self._conditions.first(rows, np.arange(len(rows)) % 2)  # one language after the other
        captions = np.where(captions < 0, self._conditions.first(rows), captions)
        asked = self._conditions.of_captions(rows, captions)
        tokens, mask, style = (part.numpy() for part in asked)
        velocity = guided(
            self._as_numpy, tokens, mask, style, self._config.sheet_guidance, self._config.sheet_autoguidance
        )
        shape = self._config.shape
        noise = np.random.default_rng(0).standard_normal((len(rows), shape.channels, shape.side, shape.side))
        *_, last = self._solver.solve(velocity, noise.astype(np.float32), times(self._config.sheet_steps))
        made = self.latents.to_pixels(torch.from_numpy(np.asarray(last, np.float32)))
        return to_sheet(side_by_side(to_pixels(self._data, rows), made))

    def facts(self) -> dict[str, Any]:
        return {
            "network": "diffusion_transformer",
            "shape": self._config.shape.model_dump(mode="json"),
            "styles": list(self._conditions.styles),
            **self.latents.facts(),
        }

    def _errors(self, batch: "Mapping[str, Tensor]", t: "Tensor", noise: "Tensor") -> "Tensor":
        from inkseal.nets.noise_schedules import flow_path

        point, velocity = flow_path(batch["latents"], noise, t)
        out = self.modules["model"](point, t, batch["tokens"], batch["mask"], batch["style"])
        error: Tensor = (out.float() - velocity).square().mean(dim=(1, 2, 3))
        return error

    def _score(self, rows: npt.NDArray[np.int64], language: int | None) -> float | None:
        import torch

        captions = self._conditions.first(rows, language)
        if language is not None:
            rows, captions = rows[captions >= 0], captions[captions >= 0]
        if not len(rows):
            return None
        generator = torch.Generator().manual_seed(0)
        seen = self._conditions.of_captions(rows, captions)._asdict()
        latents = self.latents.of(rows)
        t = torch.sigmoid(torch.special.ndtri((torch.arange(len(rows)) + 0.5) / len(rows)))
        t = t[torch.randperm(len(rows), generator=generator)]
        noise = torch.randn(latents.shape, generator=generator)
        total = 0.0
        for start in range(0, len(rows), 64):
            part = slice(start, start + 64)
            batch = {"latents": latents[part], **{name: tensor[part] for name, tensor in seen.items()}}
            total += float(self._errors(batch, t[part], noise[part]).sum())
        return total / len(rows)

    def _as_numpy(self, *arrays: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        import torch

        # In single precision, as published networks compute; only `forward` is wrapped for lower ones.
        asked = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
        velocity, rough = self.modules["model"].velocities(*asked)
        return velocity.float().numpy(), rough.float().numpy()


def check_latents(found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuses latents of another shape than the network's.

    Raises:
        InvalidRequest: naming both.
    """
    from inkseal.core.errors import InvalidRequest
    from inkseal.core.language import say

    if tuple(found) != wanted:
        raise InvalidRequest(
            say(
                f"The autoencoder's latents are {found}, and the network is for {wanted}.",
                f"自编码器的潜变量形状为 {found}，网络需要 {wanted}。",
            ),
            fix=say("Correct channels and side in the recipe.", "请在配方中更正 channels 与 side。"),
        )
