"""Draws for OpenVINO the layers that our picture networks are made of, by the names torch gives their weights.

Weights stay as they are kept, in half precision, and are widened inside the graph; arithmetic is single precision.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Node = Any
"""An `openvino.Node`, which has no types."""

GROUP_EPSILON, UNIT_EPSILON = 1e-5, 1e-12


class Layers:
    """The layers over one table of weights; names are relative to `prefix`."""

    def __init__(self, weights: Mapping[str, Array], prefix: str) -> None:
        from openvino import opset13

        self.ov: Any = opset13
        self._weights = weights
        self._prefix = prefix

    def numbers(self, *values: int) -> Node:
        """Returns whole numbers [N]."""
        return self.ov.constant(np.array(values, np.int64))

    def scalar(self, value: float) -> Node:
        """Returns one number."""
        return self.ov.constant(np.float32(value))

    def array(self, values: Array) -> Node:
        """Returns values as float32."""
        return self.ov.constant(np.ascontiguousarray(values, np.float32))

    def weight(self, name: str, *shape: int) -> Node:
        """Returns a weight, reshaped if a shape is given."""
        found = self.ov.convert(self.ov.constant(self._weights[self._prefix + name]), np.float32)
        return self.ov.reshape(found, self.numbers(*shape), False) if shape else found

    def linear(self, x: Node, name: str) -> Node:
        """Returns x Wᵀ + b over the last axis."""
        return self.ov.add(self.ov.matmul(x, self.weight(f"{name}.weight"), False, True), self.weight(f"{name}.bias"))

    def convolution(self, x: Node, name: str, stride: int = 1) -> Node:
        """Returns the convolution whose kernel leaves the size as it is, but for the stride."""
        margin = self._weights[f"{self._prefix}{name}.weight"].shape[-1] // 2
        kernel = self.weight(f"{name}.weight")
        out = self.ov.convolution(x, kernel, [stride] * 2, [margin] * 2, [margin] * 2, [1, 1])
        return self.ov.add(out, self.weight(f"{name}.bias", 1, -1, 1, 1))

    def group_norm(self, x: Node, name: str, groups: int) -> Node:
        """Source: Wu and He 2018, "Group Normalization"."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.ov.group_normalization(x, scale, shift, groups, GROUP_EPSILON)

    def layer_norm(self, x: Node, epsilon: float = 1e-6) -> Node:
        """Returns x with mean 0 and variance 1 over the last axis; no weights."""
        return self.ov.mvn(x, self.numbers(-1), True, epsilon, "inside_sqrt")

    def unit(self, x: Node) -> Node:
        """Returns rows [B, D] of length 1."""
        return self.ov.normalize_l2(x, self.numbers(1), UNIT_EPSILON, "max")

    def parts(self, x: Node, count: int, axis: int) -> list[Node]:
        """Returns x cut into equal parts along an axis."""
        return list(self.ov.split(x, self.ov.constant(np.int64(axis)), count).outputs())

    def modulated(self, x: Node, scale: Node, shift: Node) -> Node:
        """Returns x (1 + scale) + shift."""
        return self.ov.add(self.ov.multiply(x, self.ov.add(scale, self.scalar(1))), shift)

    def residual(self, x: Node, name: str, groups: int) -> Node:
        """Source: He et al. 2016, "Identity Mappings in Deep Residual Networks"; no condition."""
        inner = self.convolution(self.ov.swish(self.group_norm(x, f"{name}.norm_in", groups)), f"{name}.conv_in")
        hidden = self.ov.swish(self.group_norm(inner, f"{name}.norm_out", groups))
        return self.ov.add(x, self.convolution(hidden, f"{name}.conv_out"))

    def grown(self, x: Node, block: int = 2) -> Node:
        """Returns [B, C·r², H, W] as [B, C, H·r, W·r]."""
        return self.ov.depth_to_space(x, "depth_first", block) if block > 1 else x

    def folded(self, x: Node, block: int = 2) -> Node:
        """Undoes `grown`."""
        return self.ov.space_to_depth(x, "depth_first", block) if block > 1 else x
