"""Opens a model's weights, from one GGUF file, under one set of names (GGUF's) and as rows of float32.

Checks that the configuration, the vocabulary and every tensor's shape agree before anything is decoded.
"""

import math
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.formats import gguf
from inkseal.formats.decoder import DecoderConfig
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.weights import (
    FOUR_BIT_TYPES,
    Bytes,
    Coded,
    Floats,
    WeightFormat,
    code_rows,
    dequantise,
    keep_codes,
)

ARCHITECTURES = ("llama", "qwen2", "qwen3")


class Checkpoint(Protocol):
    """Weights by their GGUF names, and the vocabulary that came with them.

    Attributes:
        source: the file or folder that was opened.
        files: everything that is read, in order.
        keeps_codes: the weights are coded in groups of 32 already, so that such codes can be kept as they are.
    """

    config: DecoderConfig

    @property
    def source(self) -> Path: ...

    @property
    def files(self) -> tuple[Path, ...]: ...

    @property
    def keeps_codes(self) -> bool: ...

    def tokenizer(self) -> Tokenizer:
        """Returns the tokenizer, checked against the rows of the embedding."""

    def num_rows(self, name: str) -> int:
        """Returns the number of rows of a matrix."""

    def rows(self, name: str, start: int, stop: int) -> Floats:
        """Returns rows `start` to `stop` of a matrix as float32 [rows, columns]."""

    def coded_rows(self, name: str, start: int, stop: int, weight_format: WeightFormat) -> Coded:
        """Returns rows `start` to `stop` as the engine reads them."""

    def vector(self, name: str) -> Floats:
        """Returns a vector as float32 [columns]."""

    def row_order(self, name: str) -> np.ndarray[Any, np.dtype[np.intp]] | None:
        """Returns the order that the rows of a matrix or the entries of a vector must be put in, or None."""


def refuse(what: str, fix: str = "") -> NoReturn:
    raise ModelFileRefused(what, fix=fix)


class GGUFCheckpoint:
    """A GGUF file as a `Checkpoint`."""

    def __init__(self, path: Path) -> None:
        self.file = gguf.read_header(path)
        self.config = _config(self.file)
        check_shapes(self.config, {name: info.shape for name, info in self.file.tensors.items()})

    @property
    def source(self) -> Path:
        return self.file.path

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file.path,)

    @property
    def keeps_codes(self) -> bool:
        return any(info.type_name in FOUR_BIT_TYPES for info in self.file.tensors.values())

    def tokenizer(self) -> Tokenizer:
        return tokenizer_from_gguf(self.file.metadata, self.config.vocabulary)

    def num_rows(self, name: str) -> int:
        return self.file.tensors[name].shape[0]

    def _raw_rows(self, name: str, start: int, stop: int) -> Bytes:
        info = self.file.tensors[name]
        row_bytes = info.size_bytes // info.shape[0]
        return self.file.tensor(name)[start * row_bytes : stop * row_bytes]

    def rows(self, name: str, start: int, stop: int) -> Floats:
        info = self.file.tensors[name]
        return dequantise(self._raw_rows(name, start, stop), info.type_name, (stop - start, info.shape[1]))

    def coded_rows(self, name: str, start: int, stop: int, weight_format: WeightFormat) -> Coded:
        type_name = self.file.tensors[name].type_name
        if weight_format == "int4_exact_32" and type_name in FOUR_BIT_TYPES:
            return keep_codes(self._raw_rows(name, start, stop), type_name, stop - start)
        return code_rows(self.rows(name, start, stop), weight_format)

    def vector(self, name: str) -> Floats:
        info = self.file.tensors[name]
        return dequantise(self.file.tensor(name), info.type_name, info.shape)

    def row_order(self, name: str) -> np.ndarray[Any, np.dtype[np.intp]] | None:
        # llama files keep each head's rotary pairs side by side; the graph turns first half against second half.
        if self.config.architecture != "llama" or not (".attn_q." in name or ".attn_k." in name):
            return None
        pairs = np.arange(self.file.tensors[name].shape[0]).reshape(-1, self.config.head_width // 2, 2)
        return pairs.swapaxes(1, 2).reshape(-1)


def num_weights(checkpoint: Checkpoint) -> int:
    """Returns the number of weights that the graph needs."""
    return sum(math.prod(shape) for shape in expected_shapes(checkpoint.config).values())


def expected_shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """Returns every tensor that the graph needs, with its shape."""
    width, queries = config.width, config.num_heads * config.head_width
    keys = config.num_kv_heads * config.head_width
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (config.vocabulary, width),
        "output_norm.weight": (width,),
    }
    if not config.tied:
        shapes["output.weight"] = (config.vocabulary, width)
    for layer in range(config.num_layers):
        at = f"blk.{layer}."
        shapes |= {
            at + "attn_norm.weight": (width,),
            at + "attn_q.weight": (queries, width),
            at + "attn_k.weight": (keys, width),
            at + "attn_v.weight": (keys, width),
            at + "attn_output.weight": (width, queries),
            at + "ffn_norm.weight": (width,),
            at + "ffn_gate.weight": (config.hidden_width, width),
            at + "ffn_up.weight": (config.hidden_width, width),
            at + "ffn_down.weight": (width, config.hidden_width),
        }
        if config.qkv_bias:
            shapes |= {f"{at}attn_{letter}.bias": (queries if letter == "q" else keys,) for letter in "qkv"}
        if config.head_norm:
            shapes |= {f"{at}attn_{letter}_norm.weight": (config.head_width,) for letter in "qk"}
    return shapes


def check_shapes(config: DecoderConfig, found: dict[str, tuple[int, ...]]) -> None:
    """Refuses a model whose tensors are not those that its configuration promises."""
    for name, shape in expected_shapes(config).items():
        if name not in found:
            refuse(say(f"The model lacks the tensor {name!r}.", f"模型缺少张量 {name!r}。"))
        if found[name] != shape:
            refuse(
                say(
                    f"Tensor {name!r} has shape {found[name]}, but the configuration asks for {shape}.",
                    f"张量 {name!r} 的形状是 {found[name]}，而配置要求 {shape}。",
                )
            )


def _config(file: gguf.GGUF) -> DecoderConfig:
    """Reads the decoder's numbers from the metadata; refuses variants that the graph does not draw."""
    kind, facts = file.architecture, file.metadata
    if kind not in ARCHITECTURES:
        refuse(
            say(f"The architecture {kind!r} cannot be converted.", f"无法转换架构 {kind!r}。"),
            say(f"Known: {', '.join(ARCHITECTURES)}.", f"支持：{'、'.join(ARCHITECTURES)}。"),
        )

    def number(key: str, default: float | None = None) -> float:
        value = facts.get(f"{kind}.{key}", default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1 << 31:
            refuse(say(f"The entry {kind}.{key} is {value!r}.", f"条目 {kind}.{key} 为 {value!r}。"))
        return value

    width, num_heads = int(number("embedding_length")), int(number("attention.head_count"))
    head_width = int(number("attention.key_length", width // num_heads))
    tokens = facts.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list):
        refuse(say("The model carries no vocabulary.", "模型不含词表。"))
    _refuse_variants(kind, facts, head_width)
    factors = None
    if "rope_freqs.weight" in file.tensors:
        info = file.tensors["rope_freqs.weight"]
        factors = tuple(dequantise(file.tensor(info.name), info.type_name, info.shape).reshape(-1).tolist())
    config = DecoderConfig(
        architecture=kind,
        num_layers=int(number("block_count")),
        width=width,
        num_heads=num_heads,
        num_kv_heads=int(number("attention.head_count_kv", num_heads)),
        head_width=head_width,
        hidden_width=int(number("feed_forward_length")),
        vocabulary=len(tokens),
        context_length=int(number("context_length")),
        rope_base=float(number("rope.freq_base", 10_000.0)),
        norm_epsilon=float(number("attention.layer_norm_rms_epsilon")),
        rope_factors=factors,
        qkv_bias="blk.0.attn_q.bias" in file.tensors,
        head_norm="blk.0.attn_q_norm.weight" in file.tensors,
        tied="output.weight" not in file.tensors,
    )
    check_config(config)
    return config


def check_config(config: DecoderConfig) -> None:
    """Refuses numbers that do not fit together."""
    if config.num_heads % config.num_kv_heads or config.head_width % 2 or config.num_layers > 1_000:
        refuse(say(f"The configuration contradicts itself: {config}.", f"配置自相矛盾：{config}。"))
    if config.rope_factors is not None and len(config.rope_factors) != config.head_width // 2:
        refuse(say("The rotary factors do not fit the head width.", "旋转位置系数与注意力头宽度不符。"))


def _refuse_variants(kind: str, facts: dict[str, Any], head_width: int) -> None:
    """Names what this file asks for and the graph cannot give; a wrong answer would be worse than none."""
    asked = {
        "rope.scaling.type": facts.get(f"{kind}.rope.scaling.type", "none") not in ("none", "llama3"),
        "expert_count": bool(facts.get(f"{kind}.expert_count", 0)),
        "attention.sliding_window": bool(facts.get(f"{kind}.attention.sliding_window", 0)),
        "rope.dimension_count": facts.get(f"{kind}.rope.dimension_count", head_width) != head_width,
        "attention.value_length": facts.get(f"{kind}.attention.value_length", head_width) != head_width,
    }
    for key, present in asked.items():
        if present:
            value = facts[f"{kind}.{key}"]
            refuse(
                say(f"{kind}.{key} = {value!r} cannot be converted.", f"无法转换 {kind}.{key} = {value!r}。"),
                say("Use the llama backend for this model.", "请对此模型使用 llama 后端。"),
            )
