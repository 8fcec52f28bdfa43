"""Each drawn network answers like the torch one, with random weights everywhere: none may hide behind a zero."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkseal.formats.openvino_core import core
from inkseal.formats.safetensors import read_header
from inkseal.formats.shared_weights import CONSTANTS, read_graph, save_graphs
from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape, TextImageShape
from picture_run import noisy

torch = pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def shaken(module: Any, prefix: str) -> dict[str, Any]:
    """Gives every weight a random value that half precision holds exactly; returns them as they are published."""
    generator = torch.Generator().manual_seed(3)
    tensors = {}
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            tensor.copy_((torch.randn(tensor.shape, generator=generator) * 0.2 + 0.1).half().float())
            tensors[prefix + name] = tensor.numpy().astype(np.float16)
    module.eval()
    return tensors


def answers(graph: Any, *inputs: Any) -> list[Any]:
    return list(core().compile_model(graph, "CPU", EXACT)(list(inputs)).values())


def answer(graph: Any, *inputs: Any) -> Any:
    (only,) = answers(graph, *inputs)
    return only


@pytest.mark.parametrize(("patch", "depth", "sketch_width"), [(1, 2, 0), (2, 2, 0), (1, 2, 20), (2, 2, 20), (1, 0, 20)])
def test_the_transformer(patch: int, depth: int, sketch_width: int, tmp_path: Path) -> None:
    from inkseal.nets.diffusion_transformer import DiffusionTransformer
    from inkseal.workshop.publish.picture_graphs import draw_transformer

    shape = DiffusionTransformerShape(
        channels=4, side=8, patch=patch, width=40, depth=depth, heads=4, text_width=24, num_styles=3,
        sketch_width=sketch_width, sketch_depth=2,
    )  # fmt: skip
    model = DiffusionTransformer(shape)
    tensors = shaken(model, "transformer.")
    z, condition = noisy((5, 4, 8, 8)), noisy((5, 9, 24), 1)
    t = np.linspace(0, 1, 5, dtype=np.float32)
    mask = np.arange(9)[None] < np.array([0, 1, 2, 5, 9])[:, None]
    condition *= mask[:, :, None]
    style = np.array([0, 1, 2, 1, 0])
    with torch.no_grad():
        asked = [torch.from_numpy(array) for array in (z, t, condition, mask, style)]
        expected = [made.numpy() for made in model.velocities(*asked)]
        np.testing.assert_array_equal(model(*asked).numpy(), expected[0])
    save_graphs(tmp_path, "w.safetensors", tensors, {"transformer": draw_transformer(tensors, shape)}, {})
    graph = read_graph(tmp_path, "transformer", "w.safetensors")
    found = answers(graph, z, t, condition, mask.astype(np.float32), style)
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, wanted, atol=2e-4 * np.abs(wanted).max())
        assert np.abs(wanted).max() > 0.1
    assert np.array_equal(*expected) == (depth == 0), "blocks add something to the rough velocity"


def test_the_decoder() -> None:
    from inkseal.nets.autoencoder import Autoencoder
    from inkseal.workshop.publish.picture_graphs import draw_decoder

    shape = AutoencoderShape(
        widths=(8, 12, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(2, 1, 3), latent_channels=4, groups=4
    )
    model = Autoencoder(shape)
    tensors = shaken(model, "autoencoder.")
    mean, std = noisy((4,)), np.abs(noisy((4,), 1)) + 0.5
    z = noisy((3, 4, 8, 8), 2)
    latent = torch.from_numpy(z * std[:, None, None] + mean[:, None, None])
    with torch.no_grad():
        expected = model.decode(latent).numpy()
    found = answer(draw_decoder(tensors, shape, mean, std), z)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_both_towers() -> None:
    from inkseal.nets.text_image_encoder import TextImageEncoder
    from inkseal.workshop.publish.picture_graphs import draw_picture_tower, draw_text_tower

    shape = TextImageShape(text_width=24, widths=(8, 12, 16), blocks=(1, 2, 1), shared_width=10, groups=4)
    model = TextImageEncoder(shape)
    tensors = shaken(model, "encoder.")
    pixels, vectors = noisy((3, 3, 64, 64)), noisy((3, 24), 1)
    with torch.no_grad():
        pictures = model.encode_pictures(torch.from_numpy(pixels)).numpy()
        texts = model.encode_texts(torch.from_numpy(vectors)).numpy()
    np.testing.assert_allclose(answer(draw_picture_tower(tensors, shape), pixels), pictures, atol=1e-4)
    np.testing.assert_allclose(answer(draw_text_tower(tensors, shape), vectors), texts, atol=1e-4)


def test_weights_are_written_once_and_equal_graphs_give_equal_files(tmp_path: Path) -> None:
    from inkseal.nets.autoencoder import Autoencoder
    from inkseal.workshop.publish.picture_graphs import draw_decoder

    shape = AutoencoderShape(widths=(8, 12, 16), latent_channels=4, groups=4)
    tensors = shaken(Autoencoder(shape), "autoencoder.")
    flat = np.zeros(4, np.float32), np.ones(4, np.float32)
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        save_graphs(folder, "w.safetensors", tensors, {"decoder": draw_decoder(tensors, shape, *flat)}, {"k": "v"})
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["decoder.xml", "w.safetensors"]
    for name in ("decoder.xml", "w.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    infos = read_header(tmp_path / "a" / "w.safetensors").tensors
    assert set(infos) == {*tensors, CONSTANTS}
    assert infos[CONSTANTS].size_bytes < 10_000
