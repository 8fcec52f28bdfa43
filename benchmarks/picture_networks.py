"""Trained picture networks in torch: how each draws from noise and a condition, and what its training took."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from inkseal.formats.picture_model import WEIGHTS, read_picture_model
from inkseal.formats.safetensors import read_header
from inkseal.workshop.train.beginning import BEGINNING, BEGINNING_LOG, beginnings
from inkseal.workshop.train.picture_batches import Condition
from inkseal.workshop.train.run_folder import of_player
from inkseal.workshop.train.run_log import LOG, spent
from inkseal.workshop.train.trained import PUBLISHED, Trained, find_trained

Array = npt.NDArray[Any]
Draw = Callable[[npt.NDArray[np.float32], Condition], Any]
"""Noise of the model's shape and conditions → pictures [B, 3, S, S] in [-1, 1]."""


class Sampling(NamedTuple):
    """How a flow is followed from noise to a picture."""

    steps: int
    guidance: float
    autoguidance: float
    solver: str


@dataclass(frozen=True)
class Drawer:
    """A network that draws.

    Attributes:
        noise: shape of the noise of one picture.
        parameters: weights of all networks that drawing takes.
    """

    draw: Draw
    noise: tuple[int, ...]
    parameters: int


def flow_networks(trained: Trained, runs: Path) -> tuple[Any, Callable[[Any], Any], int]:
    """Returns a flow's transformer, what turns its latents into pictures, and their weights' number."""
    import torch

    from inkseal.nets.autoencoder import Autoencoder
    from inkseal.nets.diffusion_transformer import DiffusionTransformer
    from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape
    from inkseal.workshop.train.latents import Latents

    network = DiffusionTransformer(DiffusionTransformerShape.model_validate(trained.facts["shape"])).eval()
    network.load_state_dict(of_player(trained.tensors))
    if trained.folder.parent == runs:
        latents = Latents(trained.folder)
        return network, latents.to_pixels, _count(network, *_decoding(latents.autoencoder))
    known = find_trained(runs, f"{PUBLISHED}{trained.folder.name}", "autoencoder")
    autoencoder = Autoencoder(AutoencoderShape.model_validate(known.facts["shape"])).eval()
    autoencoder.load_state_dict(of_player(known.tensors))
    said = read_header(trained.folder / WEIGHTS).metadata
    mean, std = (torch.tensor(json.loads(said[name]))[:, None, None] for name in ("latent_mean", "latent_std"))
    return network, lambda made: autoencoder.decode(made * std + mean), _count(network, *_decoding(autoencoder))


def sampling_of(trained: Trained, runs: Path) -> Sampling:
    """Returns the sampling that a published flow has by default, or a run's sheets have."""
    from inkseal.workshop.train.objectives.flow_matching import FlowMatchingConfig

    if trained.folder.parent == runs:
        config = FlowMatchingConfig.model_validate(trained.facts["recipe"]["config"])
        return Sampling(config.sheet_steps, config.sheet_guidance, config.sheet_autoguidance, config.sheet_solver)
    facts = read_picture_model(trained.folder)
    return Sampling(facts.steps, facts.guidance, facts.autoguidance, facts.solver)


def flow(trained: Trained, runs: Path, sampling: Sampling) -> Drawer:
    """Returns how a transformer and its decoder draw."""
    import torch

    from inkseal.studio.generate.diffusion.guidance import guided
    from inkseal.studio.generate.diffusion.solvers import solvers
    from inkseal.studio.generate.diffusion.times import times

    network, to_pixels, parameters = flow_networks(trained, runs)
    shape = trained.facts["shape"]

    def model(*arrays: Array) -> tuple[Array, Array]:
        asked = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
        velocity, rough = network.velocities(*asked)
        return velocity.numpy(), rough.numpy()

    def draw(noise: npt.NDArray[np.float32], seen: Condition) -> Any:
        velocity = guided(model, *(part.numpy() for part in seen), sampling.guidance, sampling.autoguidance)
        *_, last = solvers[sampling.solver]().solve(velocity, noise, times(sampling.steps))
        return to_pixels(torch.from_numpy(np.asarray(last, np.float32)))

    return Drawer(draw, (shape["channels"], shape["side"], shape["side"]), parameters)


def conditional_autoencoder(trained: Trained) -> Drawer:
    """Returns how the decoder draws from a vector of noise."""
    import torch

    from inkseal.nets.autoencoder import ConditionalAutoencoder
    from inkseal.nets.shapes import ConditionalShape

    shape = ConditionalShape.model_validate(trained.facts["shape"])
    network = ConditionalAutoencoder(shape).eval()
    network.load_state_dict(of_player(trained.tensors))
    parameters = _count(network.condition, *_decoding(network))
    return Drawer(
        lambda noise, seen: network.generate(torch.from_numpy(noise), *seen), (shape.noise_width,), parameters
    )


def adversarial(trained: Trained) -> Drawer:
    """Returns how the generator draws from a vector of noise."""
    import torch

    from inkseal.nets.adversarial import Generator
    from inkseal.nets.shapes import ConditionalShape

    shape = ConditionalShape.model_validate(trained.facts["shape"])
    network = Generator(shape).eval()
    network.load_state_dict(of_player(trained.tensors, "generator"))
    return Drawer(lambda noise, seen: network(torch.from_numpy(noise), *seen), (shape.noise_width,), _count(network))


@dataclass(frozen=True)
class Training:
    """What a network's weights took, from the first: the runs it began with included, its autoencoder's not.

    Attributes:
        runs: name, steps and batch of each, first things first.
        seconds: of all; None where one is not known.
    """

    runs: tuple[tuple[str, int, int], ...]
    seconds: float | None

    @property
    def examples(self) -> int:
        """Returns how many examples were seen, each as often as it came."""
        return sum(steps * batch for _, steps, batch in self.runs)


def training_of(trained: Trained) -> Training:
    """Returns what the training of a network took."""
    own = {"step": trained.facts["step"], "recipe": trained.facts["recipe"]}
    taken = [*beginnings(trained.paper(BEGINNING)), own]
    logs = [path for path in (trained.paper(BEGINNING_LOG), trained.paper(LOG)) if path.is_file()]
    parts = [spent(log).seconds for log in logs]
    known = [part for part in parts if part is not None]
    return Training(
        tuple((one["recipe"]["name"], one["step"], one["recipe"]["batch"]) for one in taken),
        sum(known) if known and len(known) == len(parts) else None,
    )


def _decoding(autoencoder: Any) -> tuple[Any, Any]:
    return autoencoder.from_latent, autoencoder.decoder


def _count(*networks: Any) -> int:
    return sum(weight.numel() for network in networks for weight in network.parameters())
