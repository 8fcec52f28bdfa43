"""Draws a decoder-only transformer (llama, qwen2, qwen3) as an OpenVINO graph with a stateful key/value cache.

The sub-graphs have the shapes that the engine's fusions look for: root-mean-square norm, rotary positions, attention
with repeated heads, compressed weights. Knows nothing of files: weights come from a function by their GGUF names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkseal.formats.openvino_core import silence_telemetry
from inkseal.formats.weights import FOUR_BIT_GROUP, Coded, pack_halves

Node = Any  # openvino ships no usable types for graph nodes


@dataclass(frozen=True)
class DecoderConfig:
    """The numbers that fix the graph.

    Attributes:
        rope_factors: divisors of the rotary frequencies [K / 2], or None.
        tied: the embedding serves as the output matrix.
    """

    architecture: str
    num_layers: int
    width: int
    num_heads: int
    num_kv_heads: int
    head_width: int
    hidden_width: int
    vocabulary: int
    context_length: int
    rope_base: float
    norm_epsilon: float
    rope_factors: tuple[float, ...] | None
    qkv_bias: bool
    head_norm: bool
    tied: bool


def rotary_frequencies(config: DecoderConfig) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns the angle that each pair turns by a position, shape [K / 2]. Source: Su et al. 2021, eq. 15."""
    half = config.head_width // 2
    frequencies = config.rope_base ** (-np.arange(half, dtype=np.float64) / half)
    return frequencies if config.rope_factors is None else frequencies / np.asarray(config.rope_factors)


class DecoderGraph:
    """Builds the model once; `matrix(name)` gives coded weights, `vector(name)` float32."""

    def __init__(
        self,
        config: DecoderConfig,
        matrix: Callable[[str], Coded],
        vector: Callable[[str], np.ndarray[Any, Any]],
    ) -> None:
        silence_telemetry()
        from openvino import opset13

        self.ov, self.config, self.matrix, self.vector = opset13, config, matrix, vector
        self.assigns: list[Node] = []
        self.sums: dict[str, Node] = {}
        self.kept: list[Any] = []  # arrays that constants point into

    def build(self) -> Any:
        """Returns an `openvino.Model` with the inputs that generation pipelines expect.

        input_ids, attention_mask, position_ids [B, T] and beam_idx [B] → logits [B, T, V].
        """
        import openvino

        ov, config = self.ov, self.config
        inputs = {
            "input_ids": ov.parameter([-1, -1], np.int64, name="input_ids"),
            "attention_mask": ov.parameter([-1, -1], np.int64, name="attention_mask"),
            "position_ids": ov.parameter([-1, -1], np.int64, name="position_ids"),
            "beam_idx": ov.parameter([-1], np.int32, name="beam_idx"),
        }
        for name, node in inputs.items():
            node.output(0).set_names({name})
        ids = ov.convert(inputs["input_ids"], np.int32)
        table = self.weight(self.matrix("token_embd.weight"), "token_embd.weight")
        stream = ov.gather(table, ids, self.whole(0, np.int32))
        self.batch = ov.gather(ov.shape_of(inputs["input_ids"]), self.whole([0]), self.whole(0))
        self.beams = inputs["beam_idx"]
        self.cosine, self.sine = self.rotations(inputs["position_ids"])
        self.mask = self.causal_mask(inputs["attention_mask"], inputs["input_ids"])
        for layer in range(config.num_layers):
            stream = ov.add(stream, self.attention(layer, stream))
            stream = ov.add(stream, self.feed_forward(layer, stream))
        stream = self.norm(stream, "output_norm.weight")
        logits = ov.matmul(stream, table, False, True) if config.tied else self.project(stream, "output.weight")
        logits.output(0).set_names({"logits"})
        return openvino.Model([ov.result(logits, name="logits")], self.assigns, list(inputs.values()), "decoder")

    def whole(self, value: Any, kind: Any = np.int64) -> Node:
        return self.ov.constant(np.asarray(value, dtype=kind))

    def real(self, value: Any) -> Node:
        return self.ov.constant(np.asarray(value, dtype=np.float32))

    def project(self, stream: Node, name: str) -> Node:
        """Multiplies [B, T, C] by a matrix [R, C] of that name, and adds what whole zero points leave out."""
        ov, coded = self.ov, self.matrix(name)
        product = ov.matmul(stream, self.weight(coded, name), False, True)
        if coded.rest is None:
            return product
        rest = ov.matmul(self.group_sums(stream), self.weight(coded.rest, name + ".rest"), False, True)
        return ov.add(product, rest)

    def group_sums(self, stream: Node) -> Node:
        """Sums each run of 32 channels, [B, T, C] → [B, T, C / 32]; once for all matrices that read one stream."""
        ov, key = self.ov, stream.get_friendly_name()
        if key not in self.sums:
            num_groups = stream.get_output_partial_shape(0)[2].get_length() // FOUR_BIT_GROUP
            runs = ov.reshape(stream, self.whole([0, 0, num_groups, FOUR_BIT_GROUP]), True)
            self.sums[key] = ov.reduce_sum(runs, self.whole([-1]), False)
        return self.sums[key]

    def weight(self, coded: Coded, name: str) -> Node:
        """Returns coded rows followed by what decodes them, in the order the engine folds into its multiplication."""
        ov, rows = self.ov, len(coded.codes)
        if coded.scale is None:
            return ov.convert(self.constant(coded.codes, "f16", (rows, coded.columns), name), np.float32)
        groups = coded.scale.shape[1]
        width = coded.columns // groups
        shape = (rows, coded.columns) if groups == 1 else (rows, groups, width)
        one = (rows, 1) if groups == 1 else (rows, groups, 1)
        node = ov.convert(self.constant(coded.codes, coded.kind, shape, name), np.float16)
        if coded.zero is not None:
            zero = self.constant(pack_halves(coded.zero), coded.kind, one, name + ".zero")
            node = ov.subtract(node, ov.convert(zero, np.float16))
        node = ov.multiply(node, self.constant(coded.scale, "f16", one, name + ".scale"))
        if groups > 1:
            node = ov.reshape(node, self.whole([rows, coded.columns]), False)
        return ov.convert(node, np.float32)

    def constant(self, data: np.ndarray[Any, Any], kind: str, shape: tuple[int, ...], name: str) -> Node:
        """Wraps an array without copying; four-bit codes lie two to a byte."""
        import openvino

        self.kept.append(data)
        tensor = openvino.Tensor(data, openvino.Shape(shape), getattr(openvino.Type, kind))
        node = self.ov.constant(tensor, shared_memory=True)
        node.set_friendly_name(name)
        return node

    def norm(self, stream: Node, name: str) -> Node:
        """Root-mean-square norm over the last axis. Source: Zhang and Sennrich 2019, eq. 4."""
        ov = self.ov
        rank = len(stream.get_output_partial_shape(0))
        ones = [1] * rank
        mean = ov.reduce_mean(ov.power(stream, self.real(np.full(ones, 2))), self.whole([-1]), True)
        root = ov.sqrt(ov.add(mean, self.real(np.full(ones, self.config.norm_epsilon))))
        unit = ov.multiply(ov.divide(self.real(np.full(ones, 1)), root), stream)
        return ov.multiply(unit, self.real(self.vector(name).reshape([1] * (rank - 1) + [-1])))

    def rotations(self, position_ids: Node) -> tuple[Node, Node]:
        """Cosine and sine of position × frequency, shape [B, 1, T, K] each. Source: Su et al. 2021, eq. 34."""
        ov, half, frequency = self.ov, self.config.head_width // 2, rotary_frequencies(self.config)
        column = ov.broadcast(
            self.real(frequency.reshape(1, half, 1)),
            ov.concat([self.batch, self.whole([1]), self.whole([1])], 0),
            broadcast_spec="BIDIRECTIONAL",
        )
        row = ov.convert(ov.unsqueeze(position_ids, self.whole(1)), np.float32)
        angles = ov.transpose(ov.matmul(column, row, False, False), self.whole([0, 2, 1]))
        angles = ov.concat([angles, angles], -1)
        return ov.unsqueeze(ov.cos(angles), self.whole(1)), ov.unsqueeze(ov.sin(angles), self.whole(1))

    def rotate(self, heads: Node) -> Node:
        """Turns [B, N, T, K] by the positions: x·cos + (−x₂, x₁)·sin."""
        ov, half = self.ov, self.config.head_width // 2
        last, step = self.whole([3]), self.whole([1])
        front = ov.slice(heads, self.whole([0]), self.whole([half]), step, last)
        back = ov.slice(heads, self.whole([half]), self.whole([np.iinfo(np.int64).max]), step, last)
        turned = ov.concat([ov.multiply(back, self.real(np.full([1, 1, 1, 1], -1))), front], -1)
        return ov.add(ov.multiply(heads, self.cosine), ov.multiply(turned, self.sine))

    def causal_mask(self, attention_mask: Node, input_ids: Node) -> Node:
        """Returns [B, 1, T, S] of 0 where query may see key, −65504 elsewhere; S counts the cache too."""
        ov = self.ov
        one = self.whole(1)
        num_keys = ov.gather(ov.shape_of(attention_mask), one, self.whole(0))
        num_queries = ov.gather(ov.shape_of(input_ids), one, self.whole(0))
        keys = ov.range(self.whole(0), num_keys, one, "i64")
        queries = ov.range(ov.subtract(num_keys, num_queries), num_keys, one, "i64")
        past = ov.less_equal(ov.unsqueeze(keys, self.whole(0)), ov.unsqueeze(queries, one))
        real = ov.not_equal(attention_mask, self.whole(0))
        real = ov.unsqueeze(real, self.whole([1, 2]))
        return ov.select(ov.logical_and(real, past), self.real(0), self.real(-65504))

    def split_heads(self, flat: Node, num_heads: int) -> Node:
        """[B, T, N·K] → [B, N, T, K]."""
        shaped = self.ov.reshape(flat, self.whole([0, 0, num_heads, self.config.head_width]), True)
        return shaped

    def remember(self, name: str, fresh: Node) -> Node:
        """Appends [B, N, T, K] to the state of that name; returns the whole [B, N, S, K]."""
        import openvino
        from openvino.op.util import Variable, VariableInfo

        ov, config = self.ov, self.config
        facts = VariableInfo()
        facts.data_shape = openvino.PartialShape([-1, config.num_kv_heads, -1, config.head_width])
        facts.data_type = openvino.Type.f32
        facts.variable_id = name
        variable = Variable(facts)
        empty = ov.concat([self.batch, self.whole([config.num_kv_heads, 0, config.head_width])], 0)
        past = ov.read_value(ov.broadcast(self.real(0), empty), variable)
        past = ov.gather(past, self.beams, self.whole(0))
        both = ov.concat([past, fresh], 2)
        self.assigns.append(ov.assign(both, variable))
        return both

    def repeat(self, heads: Node) -> Node:
        """Repeats each key or value head for its group of queries: [B, N_kv, S, K] → [B, N, S, K]."""
        ov, config = self.ov, self.config
        times = config.num_heads // config.num_kv_heads
        if times == 1:
            return heads
        shape = [config.num_kv_heads, times, 1, config.head_width]
        spread = ov.broadcast(
            ov.unsqueeze(heads, self.whole(2)),
            ov.concat([self.batch, self.whole(shape)], 0),
            broadcast_spec="BIDIRECTIONAL",
        )
        return ov.reshape(spread, self.whole([0, config.num_heads, -1, config.head_width]), True)

    def attention(self, layer: int, stream: Node) -> Node:
        """Self-attention of one layer with its cache; returns [B, T, D] to be added to the stream."""
        ov, config, at = self.ov, self.config, f"blk.{layer}."
        normed = self.norm(stream, at + "attn_norm.weight")
        parts = []
        for letter in "qkv":
            part = self.project(normed, f"{at}attn_{letter}.weight")
            if config.qkv_bias:
                bias = self.vector(f"{at}attn_{letter}.bias")
                part = ov.add(part, self.real(bias.reshape(1, 1, -1)))
            heads = self.split_heads(part, config.num_heads if letter == "q" else config.num_kv_heads)
            if config.head_norm and letter in "qk":
                heads = self.norm(heads, f"{at}attn_{letter}_norm.weight")
            parts.append(ov.transpose(heads, self.whole([0, 2, 1, 3])))
        query, key, value = self.rotate(parts[0]), self.rotate(parts[1]), parts[2]
        key = self.repeat(self.remember(f"past_key_values.{layer}.keypresent.{layer}.key", key))
        value = self.repeat(self.remember(f"past_key_values.{layer}.valuepresent.{layer}.value", value))
        seen = ov.scaled_dot_product_attention(query, key, value, self.mask, causal=False)
        merged = ov.reshape(
            ov.transpose(seen, self.whole([0, 2, 1, 3])), self.whole([0, 0, config.num_heads * config.head_width]), True
        )
        return self.project(merged, at + "attn_output.weight")

    def feed_forward(self, layer: int, stream: Node) -> Node:
        """The gated half of a layer: down(swish(gate) · up). Source: Shazeer 2020, eq. 6."""
        ov, at = self.ov, f"blk.{layer}."
        normed = self.norm(stream, at + "ffn_norm.weight")
        gate, up = self.project(normed, at + "ffn_gate.weight"), self.project(normed, at + "ffn_up.weight")
        return self.project(ov.multiply(ov.swish(gate), up), at + "ffn_down.weight")
