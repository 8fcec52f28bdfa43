"""Reads a network in ncnn's two files: the layers as text, and the weights in the order in which layers use them.

Source: ncnn's "param and model file structure". Knows only the layers that enlarging networks are made of.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say

MAGIC = "7767517"
HALF = 0x01306B47
"""Before weights in half precision; 0 stands before single precision."""
MAX_LAYERS = 4096
MAX_WEIGHTS = 1 << 28

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """One layer: what it does, what it reads and writes, its numbers, and its weights by name."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[int, float]
    weights: dict[str, Array] = field(default_factory=dict)


def read_ncnn(param: Path, weights: Path) -> list[Layer]:
    """Returns the layers in their order, with their weights in single precision.

    Raises:
        ModelFileRefused: a file is malformed, does not fit the other, or has a layer that is not known here.
    """
    layers = _layers(param)
    reader = _Weights(weights)
    for layer in layers:
        _READ.get(layer.kind, _nothing)(layer, reader)
    reader.require_end()
    return layers


def _layers(path: Path) -> list[Layer]:
    try:
        lines = path.read_text("utf-8").split("\n")
        count = int(lines[1].split()[0])
    except (UnicodeDecodeError, IndexError, ValueError):
        refuse(path.name, say("its head is malformed", "文件头不正确"))
    rows = [line.split() for line in lines[2:] if line.strip()]
    if lines[0].strip() != MAGIC or len(rows) != count or count > MAX_LAYERS:
        refuse(path.name, say("its head is malformed", "文件头不正确"))
    known: set[str] = set()
    layers = []
    for row in rows:
        layer = _layer(path.name, row)
        if not known.issuperset(layer.inputs):
            refuse(path.name, say(f"{layer.name[:40]!r} reads what nothing writes", f"{layer.name[:40]!r} 缺少输入"))
        known.update(layer.outputs)
        layers.append(layer)
    return layers


def _layer(file: str, row: list[str]) -> Layer:
    try:
        kind, name, num_inputs, num_outputs = row[0], row[1], int(row[2]), int(row[3])
        names = row[4 : 4 + num_inputs + num_outputs]
        if min(num_inputs, num_outputs) < 0 or len(names) != num_inputs + num_outputs:
            raise ValueError(name)
        numbers = {}
        for pair in row[4 + num_inputs + num_outputs :]:
            key, _, value = pair.partition("=")
            numbers[int(key)] = float(value)
        if not all(abs(number) <= MAX_WEIGHTS for number in numbers.values()):
            raise ValueError(name)
    except (IndexError, ValueError):
        refuse(file, say(f"a line is malformed: {' '.join(row)[:60]!r}", f"某行格式错误：{' '.join(row)[:60]!r}"))
    if kind not in KINDS:
        refuse(file, say(f"the layer {kind[:40]!r} is not known here", f"不支持层 {kind[:40]!r}"))
    return Layer(kind, name, tuple(names[:num_inputs]), tuple(names[num_inputs:]), numbers)


class _Weights:
    """Reads weights one after another."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._data = path.read_bytes()
        self._at = 0

    def plain(self, count: int) -> Array:
        """Returns `count` numbers of single precision."""
        return np.frombuffer(self._take(count, 4), "<f4").copy()

    def tagged(self, count: int) -> Array:
        """Returns `count` numbers of the precision that a tag before them names."""
        tag = int.from_bytes(self._take(1, 4), "little")
        if tag == 0:
            return self.plain(count)
        if tag != HALF:
            refuse(self._name, say(f"weights of the kind {tag:#x}", f"权重类型 {tag:#x}"))
        found = np.frombuffer(self._take(count, 2), "<f2").astype(np.float32)
        self._take(-self._at % 4, 1)
        return found

    def require_end(self) -> None:
        """Refuses what is left over."""
        if self._at != len(self._data):
            refuse(self._name, say(f"{len(self._data) - self._at} bytes are left over", "末尾有多余字节"))

    def _take(self, count: int, width: int) -> bytes:
        if not 0 <= count <= MAX_WEIGHTS or self._at + count * width > len(self._data):
            refuse(self._name, say("it is cut off", "文件被截断"))
        start, self._at = self._at, self._at + count * width
        return self._data[start : self._at]


def _convolution(layer: Layer, reader: _Weights) -> None:
    numbers = layer.numbers
    outputs, side, size = int(numbers.get(0, 0)), int(numbers.get(1, 0)), int(numbers.get(6, 0))
    if min(outputs, side, size) < 1 or size % (outputs * side * side):
        refuse(layer.name[:40], say("its sizes do not fit", "尺寸不一致"))
    layer.weights["kernel"] = reader.tagged(size).reshape(outputs, -1, side, side)
    layer.weights["bias"] = reader.plain(outputs) if numbers.get(5) else np.zeros(outputs, np.float32)


def _slopes(layer: Layer, reader: _Weights) -> None:
    layer.weights["slopes"] = reader.plain(int(layer.numbers.get(0, 0)))


def _nothing(layer: Layer, reader: _Weights) -> None:
    """Most layers have no weights."""


_READ: dict[str, Callable[[Layer, _Weights], None]] = {"Convolution": _convolution, "PReLU": _slopes}
KINDS = frozenset({"Input", "Split", "Convolution", "PReLU", "PixelShuffle", "Interp", "BinaryOp"})


def refuse(name: str, why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The ncnn file {name} is refused: {why}.", f"拒绝使用 ncnn 文件 {name}：{why}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )
