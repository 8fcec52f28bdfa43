"""Opens a folder of safetensors in the hub's layout (config.json beside the weights) as a `Checkpoint`.

Never runs code from the folder: a configuration that brings its own code is refused.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from inkseal.core.language import say
from inkseal.formats.checkpoint import check_config, check_shapes, expected_shapes, refuse
from inkseal.formats.decoder import DecoderConfig
from inkseal.formats.shards import INDEX, open_shards
from inkseal.formats.tensor_file import TensorInfo
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tokenizer_json import TOKENIZER_FILES, tokenizer_from_folder
from inkseal.formats.weights import Bytes, Coded, Floats, WeightFormat, code_rows, dequantise

MODEL_TYPES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
MAX_CONFIG_BYTES = 10_000_000
CODE_KEYS = ("auto_map", "custom_code", "trust_remote_code")

_LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_DTYPES = ("F32", "F16", "BF16")
_IGNORED = ("rotary_emb.inv_freq", "lm_head.weight")
"""Tensors that are no weights of their own: old files keep the frequencies, and tied ones the output matrix again."""


def hub_name(name: str) -> str:
    """Returns the hub's name of a tensor from its GGUF name."""
    if name in _NAMES:
        return _NAMES[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{_LAYER_NAMES[part]}.{kind}"


def is_text_decoder(folder: Path) -> bool:
    """True when config.json names a model that writes text, of a known type or not.

    Raises:
        ModelFileRefused: config.json is malformed or brings its own code.
    """
    if not (folder / "config.json").exists():
        return False
    facts = read_config(folder)
    kinds = facts.get("architectures")
    causal = isinstance(kinds, list) and any(str(kind).endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds)
    return causal or facts.get("model_type") in MODEL_TYPES


class HubFolder:
    """A folder with config.json and one or more safetensors files as a `Checkpoint`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        facts = read_config(folder)
        self._shards = open_shards(folder)
        self.config = _config(facts, set(self._shards))
        known = [name for name in expected_shapes(self.config) if hub_name(name) in self._shards]
        used = {hub_name(name) for name in known}
        for name, file in self._shards.items():
            if name not in used and not name.endswith(_IGNORED):
                refuse(say(f"The tensor {name!r} cannot be converted.", f"无法转换张量 {name!r}。"), _alternative())
            if file.tensors[name].type_name not in _DTYPES:
                dtype = file.tensors[name].type_name
                refuse(say(f"Tensor {name!r} is of type {dtype}.", f"张量 {name!r} 的类型为 {dtype}。"), _alternative())
        check_shapes(self.config, {name: self._info(name).shape for name in known})

    @property
    def source(self) -> Path:
        return self.folder

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read from the folder, in order."""
        beside = [self.folder / name for name in ("config.json", INDEX, *TOKENIZER_FILES)]
        weights = {file.path for file in self._shards.values()}
        return tuple(sorted({path for path in beside if path.exists()} | weights))

    @property
    def keeps_codes(self) -> bool:
        return False

    def tokenizer(self) -> Tokenizer:
        return tokenizer_from_folder(self.folder, self.config.vocabulary)

    def _info(self, name: str) -> TensorInfo:
        return self._shards[hub_name(name)].tensors[hub_name(name)]

    def _decode(self, name: str, raw: Bytes, shape: tuple[int, ...]) -> Floats:
        return dequantise(np.ascontiguousarray(raw), self._info(name).type_name, shape)

    def num_rows(self, name: str) -> int:
        return self._info(name).shape[0]

    def rows(self, name: str, start: int, stop: int) -> Floats:
        info = self._info(name)
        row_bytes = info.size_bytes // info.shape[0]
        raw = self._shards[hub_name(name)].tensor(hub_name(name))[start * row_bytes : stop * row_bytes]
        return self._decode(name, raw, (stop - start, info.shape[1]))

    def coded_rows(self, name: str, start: int, stop: int, weight_format: WeightFormat) -> Coded:
        return code_rows(self.rows(name, start, stop), weight_format)

    def vector(self, name: str) -> Floats:
        return self._decode(name, self._shards[hub_name(name)].tensor(hub_name(name)), self._info(name).shape)

    def row_order(self, name: str) -> None:
        """The hub keeps rotary halves apart, as the graph does."""
        return None


def read_config(folder: Path) -> dict[str, Any]:
    """Returns config.json.

    Raises:
        ModelFileRefused: it is malformed or brings its own code.
    """
    path = folder / "config.json"
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            refuse(say("config.json is too large.", "config.json 过大。"))
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        refuse(say(f"config.json cannot be read: {error}", f"无法读取 config.json：{error}"))
    if not isinstance(facts, dict):
        refuse(say("config.json is not a table.", "config.json 不是表。"))
    for key in CODE_KEYS:
        if key in facts:
            refuse(
                say(f"config.json brings its own code ({key}).", f"config.json 自带代码（{key}）。"),
                say(
                    "Such code is never run; use a model of a native class.", "此类代码绝不执行，请使用原生类别的模型。"
                ),
            )
    return facts


def _alternative() -> str:
    known = ", ".join(MODEL_TYPES)
    return say(
        f"Known are float weights (F32, F16, BF16) of the types {known}. Import the model's GGUF if there is one.",
        f"支持 {known} 类型的浮点权重（F32、F16、BF16）。如有该模型的 GGUF，请导入它。",
    )


def _config(facts: dict[str, Any], names: set[str]) -> DecoderConfig:
    kind = facts.get("model_type")
    if not isinstance(kind, str) or kind not in MODEL_TYPES:
        refuse(say(f"The model type {kind!r} cannot be converted.", f"无法转换模型类型 {kind!r}。"), _alternative())

    def number(key: str, default: Any = None) -> Any:
        value = facts.get(key)
        value = default if value is None else value
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1 << 31:
            refuse(say(f"The entry {key} of config.json is {value!r}.", f"config.json 的条目 {key} 为 {value!r}。"))
        return value

    windowed = facts.get("sliding_window") and facts.get("use_sliding_window", True)
    if facts.get("hidden_act", "silu") != "silu" or windowed:
        refuse(
            say("Its activation or sliding window cannot be converted.", "无法转换其激活函数或滑动窗口。"),
            _alternative(),
        )
    if facts.get("quantization_config"):
        refuse(say("Its weights are quantised already.", "其权重已被量化。"), _alternative())
    width, num_heads = int(number("hidden_size")), int(number("num_attention_heads"))
    rope = facts.get("rope_parameters") or facts.get("rope_scaling") or {}
    head_width = int(number("head_dim", width // num_heads))
    base = float(number("rope_theta", rope.get("rope_theta", 10_000.0)))
    config = DecoderConfig(
        architecture=MODEL_TYPES[kind],
        num_layers=int(number("num_hidden_layers")),
        width=width,
        num_heads=num_heads,
        num_kv_heads=int(number("num_key_value_heads", num_heads)),
        head_width=head_width,
        hidden_width=int(number("intermediate_size")),
        vocabulary=int(number("vocab_size")),
        context_length=int(number("max_position_embeddings")),
        rope_base=base,
        norm_epsilon=float(number("rms_norm_eps", 1e-6)),
        rope_factors=_rope_factors(rope, base, head_width),
        qkv_bias="model.layers.0.self_attn.q_proj.bias" in names,
        head_norm="model.layers.0.self_attn.q_norm.weight" in names,
        tied=bool(facts.get("tie_word_embeddings", False)) or "lm_head.weight" not in names,
    )
    check_config(config)
    return config


def _rope_factors(rope: dict[str, Any], base: float, head_width: int) -> tuple[float, ...] | None:
    """Returns divisors of the rotary frequencies: low ones are slowed, high ones kept, between them a blend.

    Source: the Llama 3.1 reference code, `apply_scaling`.
    """
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3":
        refuse(say(f"The rotary scaling {kind!r} cannot be converted.", f"无法转换旋转位置缩放 {kind!r}。"))
    try:
        factor, original = float(rope["factor"]), float(rope["original_max_position_embeddings"])
        low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
        factors = []
        for pair in range(head_width // 2):
            turns = original * base ** (-2 * pair / head_width) / (2 * math.pi)
            blend = min(1.0, max(0.0, (turns - low) / (high - low)))
            factors.append(1 / ((1 - blend) / factor + blend))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        refuse(say("The llama3 rotary scaling is incomplete.", "llama3 旋转位置缩放不完整。"))
    return tuple(factors)
