"""Enlarges pictures four times by a small network, tile by tile, so that memory does not grow with the picture.

Source: Wang et al. 2021, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.catalog.verify import verify_files
from inkseal.core.errors import Cancelled, ModelFileRefused
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, LocalModel
from inkseal.formats.ncnn import Layer, read_ncnn, refuse
from inkseal.formats.openvino_core import core, silence_telemetry

FACTOR = 4
TILE_PX = 128
MARGIN_PX = 18
"""What a pixel depends on: eighteen convolutions, each of which sees one pixel further."""
WORKING_BYTES = 100_000_000
"""Of a tile's activations in single precision, 64 channels of them."""

Pixels = npt.NDArray[np.uint8]


class Enlarger:
    """A loaded enlarging network. One caller at a time."""

    def __init__(self, model: LocalModel, threads: int, cancel: Cancel) -> None:
        """Proves the files, reads and compiles the network.

        Raises:
            ModelFileRefused: a file is malformed or not the recorded one.
        """
        silence_telemetry()
        self.model = model
        verify_files(model.folder, model.files, cancel)
        layers = read_ncnn(_file(model, ".param"), _file(model, ".ncnn"))
        properties = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._network = core().compile_model(draw(layers), "CPU", properties)

    def enlarge(self, pixels: Pixels, cancel: Cancel) -> Pixels:
        """Returns [H, W, 3] as [4H, 4W, 3]; the seams of tiles are not seen, since each looks past its edge.

        Raises:
            Cancelled: `cancel` was set between two tiles.
        """
        height, width = pixels.shape[:2]
        out = np.empty((FACTOR * height, FACTOR * width, 3), np.uint8)
        for top, left in tiles(height, width):
            if cancel.is_set():
                raise Cancelled(say("The picture was stopped.", "图片生成已停止。"))
            bottom, right = min(top + TILE_PX, height), min(left + TILE_PX, width)
            above, before = max(0, top - MARGIN_PX), max(0, left - MARGIN_PX)
            seen = pixels[above : bottom + MARGIN_PX, before : right + MARGIN_PX]
            made = self._enlarge(seen)
            y, x = FACTOR * (top - above), FACTOR * (left - before)
            tall, wide = FACTOR * (bottom - top), FACTOR * (right - left)
            out[FACTOR * top : FACTOR * bottom, FACTOR * left : FACTOR * right] = made[y : y + tall, x : x + wide]
        return out

    def _enlarge(self, pixels: Pixels) -> Pixels:
        values = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / 255
        made = np.asarray(self._network([values])[0])[0]
        bytes_: Pixels = np.clip(np.rint(made * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        return bytes_


def tiles(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yields the upper left corners of the tiles, rows first."""
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            yield top, left


def forecast_bytes(model: LocalModel) -> int:
    """Returns the memory that an `Enlarger` needs at most."""
    return 4 * sum((model.folder / name).stat().st_size for name in model.files) + WORKING_BYTES


def draw(layers: list[Layer]) -> Any:
    """Returns the `openvino.Model` of an enlarging network: [1, 3, H, W] in [0, 1] → [1, 3, 4H, 4W].

    Raises:
        ModelFileRefused: a layer does what is not known here.
    """
    import openvino
    from openvino import opset13 as ov

    nodes: dict[str, Any] = {}
    inputs = []
    for layer in layers:
        if layer.kind == "Input":
            inputs.append(ov.parameter([-1, 3, -1, -1], np.float32, name=layer.name))
            nodes[layer.outputs[0]] = inputs[-1]
        else:
            node = _draw_layer(ov, layer, [nodes[name] for name in layer.inputs])
            nodes |= dict.fromkeys(layer.outputs, node)
    if len(inputs) != 1 or not layers:
        raise ModelFileRefused(say("The enlarging network has no input.", "放大网络没有输入。"))
    return openvino.Model([ov.result(nodes[layers[-1].outputs[0]])], inputs, "enlarger")


def _draw_layer(ov: Any, layer: Layer, inputs: list[Any]) -> Any:
    numbers = layer.numbers
    if layer.kind == "Split":
        return inputs[0]
    if layer.kind == "Convolution":
        return _convolution(ov, layer, inputs[0])
    if layer.kind == "PReLU":
        return ov.prelu(inputs[0], ov.constant(layer.weights["slopes"]))
    if layer.kind == "PixelShuffle" and numbers.get(1, 0) == 0:
        return ov.depth_to_space(inputs[0], "depth_first", int(numbers.get(0, 1)))
    if layer.kind == "Interp" and numbers.get(0) == 1:
        scales = ov.constant(np.array([numbers.get(1, 1), numbers.get(2, 1)], np.float32))
        axes = ov.constant(np.array([2, 3], np.int64))
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return ov.interpolate(inputs[0], scales, "nearest", "scales", axes=axes, **how)
    if layer.kind == "BinaryOp" and numbers.get(0, 0) == 0 and len(inputs) == 2:
        return ov.add(*inputs)
    refuse(layer.name[:40], say(f"a {layer.kind} of a kind that is not known here", f"不支持此类 {layer.kind}"))


def _convolution(ov: Any, layer: Layer, x: Any) -> Any:
    numbers = layer.numbers
    stride, dilation, margin = (int(numbers.get(key, default)) for key, default in ((3, 1), (2, 1), (4, 0)))
    if numbers.get(9):
        refuse(layer.name[:40], say("an activation inside a convolution", "卷积内含激活函数"))
    kernel = ov.constant(layer.weights["kernel"])
    out = ov.convolution(x, kernel, [stride] * 2, [margin] * 2, [margin] * 2, [dilation] * 2)
    return ov.add(out, ov.constant(layer.weights["bias"].reshape(1, -1, 1, 1)))


def _file(model: LocalModel, suffix: str) -> Path:
    found = [name for name in model.files if name.endswith(suffix)]
    if len(found) != 1:
        raise ModelFileRefused(
            say(f"{model.name!r} has no one {suffix} file.", f"{model.name!r} 应有一个 {suffix} 文件。")
        )
    return model.folder / found[0]
