"""Asks the networks of a written folder and those that were trained the same, and compares their answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.formats.openvino_core import core
from inkseal.formats.picture_model import DECODER, PICTURES, TEXTS, TRANSFORMER, WEIGHTS
from inkseal.formats.shared_weights import read_graph
from inkseal.workshop.publish.parity import Parity, compare
from inkseal.workshop.publish.picture_sources import PictureSources
from inkseal.workshop.train.picture_batches import Conditions, Pictures, evenly, to_pixels

if TYPE_CHECKING:
    from inkseal.workshop.publish.layers import Array

NUM_ASKED = 8
ROUGH = f"{TRANSFORMER}, rough"
SEED = 0


def prove(folder: Path, sources: PictureSources, data: Pictures) -> tuple[Parity, ...]:
    """Returns the errors of every network, on the captions and pictures of the dataset and fixed noise.

    Raises:
        ModelFileRefused: a shape is wrong, or an answer is no number.
    """
    import torch

    rows = evenly(np.arange(len(data.pixels)), NUM_ASKED)
    conditions = Conditions(data)
    tokens, mask, style = conditions.of_captions(rows, conditions.first(rows))
    mask[-1], tokens[-1], style[-1] = False, 0, 0  # one is asked without any condition
    shape = sources.transformer_shape
    latent = (shape.channels, shape.side, shape.side)
    noise = np.random.Generator(np.random.PCG64(SEED)).standard_normal((len(rows), *latent), dtype=np.float32)
    t = np.linspace(1, 0, len(rows), dtype=np.float32)
    with torch.no_grad():
        asked = (torch.from_numpy(noise), torch.from_numpy(t), tokens, mask, style)
        velocity, rough = (made.numpy() for made in _transformer(sources).velocities(*asked))
        pixels = sources.latents.to_pixels(torch.from_numpy(noise)).numpy()
    inputs = [noise, t, tokens.numpy(), mask.numpy().astype(np.float32), style.numpy()]
    served, served_rough = _served(folder, TRANSFORMER, inputs)
    found = [
        compare(TRANSFORMER, served, velocity),
        compare(ROUGH, served_rough, rough),
        compare(DECODER, _served(folder, DECODER, [noise])[0], pixels),
    ]
    if sources.encoder_shape is not None:
        found += _towers(folder, sources, to_pixels(data, rows), tokens[:, 0])
    return tuple(found)


def _towers(folder: Path, sources: PictureSources, pixels: Any, texts: Any) -> list[Parity]:
    import torch

    encoder = sources.encoder_network()
    with torch.no_grad():
        seen, read = encoder.encode_pictures(pixels).numpy(), encoder.encode_texts(texts).numpy()
    return [
        compare(PICTURES, _served(folder, PICTURES, [pixels.numpy()])[0], seen),
        compare(TEXTS, _served(folder, TEXTS, [texts.numpy()])[0], read),
    ]


def _transformer(sources: PictureSources) -> Any:
    from inkseal.nets.diffusion_transformer import DiffusionTransformer

    model = DiffusionTransformer(sources.transformer_shape)
    model.load_state_dict(dict(sources.transformer_weights))
    return model.eval()


def _served(folder: Path, name: str, inputs: "Sequence[Array]") -> "list[Array]":
    compiled = core().compile_model(read_graph(folder, name, WEIGHTS), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [np.array(made) for made in compiled([np.ascontiguousarray(array) for array in inputs]).values()]
