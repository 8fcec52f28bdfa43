"""Writes a model's GGUF in the hub's layout: the folder that a hub would serve, with real weights."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

_PARTS = {
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
_OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def hub_folder(source: Path, folder: Path, *, dtype: str = "BF16", num_shards: int = 1, **changes: Any) -> Path:
    """Writes config.json, weights, tokenizer.json and what belongs to them; returns the folder.

    Args:
        changes: entries of config.json.
    """
    reader = gguf.GGUFReader(source)
    facts = _facts(reader)
    folder.mkdir(parents=True)
    kind = facts["general.architecture"]
    weights = {_name(t.name): _values(t, facts, kind) for t in reader.tensors}
    _write(folder, "config.json", _config(facts, kind, tied="lm_head.weight" not in weights) | changes)
    _save(folder, weights, dtype, num_shards)
    if "tokenizer.ggml.merges" in facts:
        tokenizer_files(source, folder)
    return folder


def tokenizer_files(source: Path, folder: Path) -> Path:
    """Writes what belongs to the tokenizer; returns the folder."""
    facts = _facts(gguf.GGUFReader(source))
    pieces, ends = facts["tokenizer.ggml.tokens"], [facts["tokenizer.ggml.eos_token_id"]]
    _write(folder, "tokenizer.json", _tokenizer(facts))
    _write(folder, "generation_config.json", {"eos_token_id": ends, "bos_token_id": ends[0]})
    told = {"add_bos_token": False, "eos_token": pieces[ends[0]], "tokenizer_class": "PreTrainedTokenizerFast"}
    _write(folder, "tokenizer_config.json", told)
    (folder / "chat_template.jinja").write_text(facts.get("tokenizer.chat_template", ""), "utf-8")
    return folder


def _facts(reader: Any) -> dict[str, Any]:
    return {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}


def _write(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _config(facts: dict[str, Any], kind: str, *, tied: bool) -> dict[str, Any]:
    return {
        "architectures": [f"{kind.capitalize()}ForCausalLM"],
        "model_type": kind,
        "hidden_size": facts[f"{kind}.embedding_length"],
        "num_hidden_layers": facts[f"{kind}.block_count"],
        "num_attention_heads": facts[f"{kind}.attention.head_count"],
        "num_key_value_heads": facts[f"{kind}.attention.head_count_kv"],
        "intermediate_size": facts[f"{kind}.feed_forward_length"],
        "vocab_size": len(facts["tokenizer.ggml.tokens"]),
        "max_position_embeddings": facts[f"{kind}.context_length"],
        "rms_norm_eps": facts[f"{kind}.attention.layer_norm_rms_epsilon"],
        "rope_theta": facts.get(f"{kind}.rope.freq_base", 10_000.0),
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "use_sliding_window": False,
        "sliding_window": 32768,
    }


def _name(name: str) -> str:
    if name in _OUTER:
        return _OUTER[name]
    _, layer, part, ending = name.split(".")
    return f"model.layers.{layer}.{_PARTS[part]}.{ending}"


def _values(tensor: Any, facts: dict[str, Any], kind: str) -> np.ndarray[Any, Any]:
    values = np.asarray(gguf.dequantize(tensor.data, tensor.tensor_type), np.float32)
    part = next((part for part in ("attn_q.", "attn_k.") if part in tensor.name), "")
    if kind != "llama" or not part:
        return values
    # GGUF keeps the two numbers of a rotary pair beside each other, the hub half a head apart
    heads = facts["llama.attention.head_count" + ("_kv" if part == "attn_k." else "")]
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _coded(values: np.ndarray[Any, Any], dtype: str) -> bytes:
    if dtype == "BF16":  # rounds to the nearest, ties to even
        bits = np.ascontiguousarray(values).view(np.uint32)
        return bytes(((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16).tobytes())
    return bytes(values.astype({"F16": np.float16, "F32": np.float32}[dtype]).tobytes())


def _save(folder: Path, weights: dict[str, np.ndarray[Any, Any]], dtype: str, num_shards: int) -> None:
    names = sorted(weights)
    parts = [names[number::num_shards] for number in range(num_shards)]
    placed: dict[str, str] = {}
    for number, part in enumerate(parts):
        file = f"model-{number + 1:05}-of-{num_shards:05}.safetensors" if num_shards > 1 else "model.safetensors"
        header, at, bodies = {}, 0, []
        for name in part:
            body = _coded(weights[name], dtype)
            shape = list(weights[name].shape)
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(body)]}
            at += len(body)
            bodies.append(body)
        text = json.dumps(header).encode()
        with (folder / file).open("wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            out.writelines(bodies)
        placed |= dict.fromkeys(part, file)
    if num_shards > 1:
        _write(folder, "model.safetensors.index.json", {"metadata": {}, "weight_map": placed})


def _tokenizer(facts: dict[str, Any]) -> dict[str, Any]:
    """The `tokenizers` form of a byte-level vocabulary, as its makers publish it."""
    pieces, kinds = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
    added = [
        {
            "id": place,
            "content": piece,
            "special": of == 3,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for place, (piece, of) in enumerate(zip(pieces, kinds, strict=True))
        if of in (3, 4)
    ]
    qwen = facts["tokenizer.ggml.pre"] == "qwen2"
    letters = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": not qwen}
    split = {"type": "Split", "pattern": {"Regex": _QWEN_WORDS}, "behavior": "Isolated", "invert": False}
    first = split if qwen else {"type": "Digits", "individual_digits": True}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {p: at for at, (p, of) in enumerate(zip(pieces, kinds, strict=True)) if of == 1},
        "merges": facts["tokenizer.ggml.merges"],
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"} if qwen else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [first, letters]},
        "post_processor": letters | {"use_regex": True},
        "decoder": letters | {"use_regex": True},
        "model": model,
    }
