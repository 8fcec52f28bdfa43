"""Enlarging equals an independent computation, and tiles leave no seam."""

import threading
from pathlib import Path

import numpy as np
import pytest

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import Cancelled, ModelFileRefused
from inkseal.core.protocols import LocalModel
from inkseal.formats.ncnn import read_ncnn
from inkseal.formats.openvino_core import core
from inkseal.studio.generate.enlarging import MARGIN_PX, TILE_PX, Enlarger, draw, tiles
from ncnn_maker import enlarger

NEVER = threading.Event()


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3))
    return np.repeat(np.repeat(coarse, 8, 0), 8, 1)[:height, :width].astype(np.uint8)


def test_a_drawn_network_answers_as_torch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="left out: pip install 'inkseal[train]'")
    import torch.nn.functional as functional

    _, arrays = enlarger(tmp_path)
    kernel_a, bias_a, slopes, kernel_b, bias_b = map(torch.from_numpy, arrays)
    x = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    hidden = functional.prelu(functional.conv2d(x, kernel_a, bias_a, padding=1), slopes)
    made = functional.pixel_shuffle(functional.conv2d(hidden, kernel_b, bias_b, padding=1), 4)
    expected = made + functional.interpolate(x, scale_factor=4, mode="nearest")
    graph = draw(read_ncnn(tmp_path / "m.param", tmp_path / "m.bin"))
    found = core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x.numpy()])[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize(("line", "other"), [("0=1 1=4", "0=3 1=4"), ("sum 2 1 4 5 out", "sum 2 1 4 5 out 0=2")])
def test_a_layer_of_another_kind_is_refused(tmp_path: Path, line: str, other: str) -> None:
    enlarger(tmp_path)
    text = (tmp_path / "m.param").read_text()
    assert line in text
    (tmp_path / "m.param").write_text(text.replace(line, other))
    with pytest.raises(ModelFileRefused):
        draw(read_ncnn(tmp_path / "m.param", tmp_path / "m.bin"))


def test_tiles_cover_every_pixel_once() -> None:
    assert list(tiles(130, 256)) == [(0, 0), (0, 128), (128, 0), (128, 128)]
    assert list(tiles(128, 1)) == [(0, 0)]


@pytest.fixture
def small(tmp_path: Path) -> Enlarger:
    """A network of two convolutions, and what a pixel depends on is two pixels away."""
    enlarger(tmp_path)
    (tmp_path / "m.bin").rename(tmp_path / "m.ncnn")
    files = {name: hash_file(tmp_path / name) for name in ("m.param", "m.ncnn")}
    facts = {"name": "small", "task": "upscale", "format": "ncnn", "context_tokens": 0, "licence": "", "sha256": ""}
    return Enlarger(LocalModel.model_validate({**facts, "folder": tmp_path, "files": files}), 1, NEVER)


@pytest.mark.parametrize(("height", "width"), [(256, 256), (1024, 700), (1, 1500), (129, 128)])
def test_the_network_never_sees_more_than_a_tile_and_its_margins(small: Enlarger, height: int, width: int) -> None:
    network, sizes = small._network, []

    def watched(inputs: list[np.ndarray]) -> object:
        sizes.append(inputs[0].shape)
        return network(inputs)

    pixels = smooth(height, width)
    whole = small._enlarge(pixels)
    small._network = watched
    made = small.enlarge(pixels, NEVER)
    most = TILE_PX + 2 * MARGIN_PX
    assert len(sizes) == len(list(tiles(height, width)))
    assert max(max(shape[2:]) for shape in sizes) <= most
    assert {shape[:2] for shape in sizes} == {(1, 3)}
    assert made.shape == (4 * height, 4 * width, 3)
    assert np.abs(whole.astype(int) - made).max() <= 1


@pytest.mark.model
def test_tiles_leave_no_seam(upscaler_model: LocalModel) -> None:
    pixels = smooth(150, 200)
    loaded = Enlarger(upscaler_model, 1, NEVER)
    whole = loaded._enlarge(pixels)
    tiled = loaded.enlarge(pixels, NEVER)
    assert tiled.shape == (600, 800, 3)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


@pytest.mark.model
def test_the_real_one_keeps_colours_and_sharpens_edges(upscaler_model: LocalModel) -> None:
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[16:48, 16:48] = (220, 30, 30)
    large = Enlarger(upscaler_model, 1, NEVER).enlarge(pixels, NEVER).astype(int)
    assert large.shape == (256, 256, 3)
    assert np.abs(large[128, 128] - (220, 30, 30)).max() < 12
    assert large[4, 4].min() > 243
    middle = ((large[:, 128, 1] > 70) & (large[:, 128, 1] < 210)).sum()
    assert middle <= 8, "an edge is at most two pixels wide on each side"


@pytest.mark.model
def test_a_set_cancel_stops_between_tiles(upscaler_model: LocalModel) -> None:
    stop = threading.Event()
    loaded = Enlarger(upscaler_model, 1, stop)
    stop.set()
    with pytest.raises(Cancelled):
        loaded.enlarge(smooth(64, 64), stop)


@pytest.mark.model
def test_a_changed_file_is_refused(upscaler_model: LocalModel, tmp_path: Path) -> None:
    for name in upscaler_model.files:
        (tmp_path / name).write_bytes((upscaler_model.folder / name).read_bytes())
    with (tmp_path / "realesr-animevideov3-x4.ncnn").open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff")
    with pytest.raises(ModelFileRefused):
        Enlarger(upscaler_model.model_copy(update={"folder": tmp_path}), 1, NEVER)
