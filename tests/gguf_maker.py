"""Writes small GGUF files for tests, whole or broken, byte by byte."""

import struct
from typing import Any

import numpy as np

from inkseal.formats.tokenizer import byte_letters

U32, F32, STRING, ARRAY, U64 = 4, 6, 8, 9, 10


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def key(name: str, kind: int, body: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + body


def u32(name: str, value: int) -> bytes:
    return key(name, U32, struct.pack("<I", value))


def strings(name: str, values: list[str]) -> bytes:
    return key(name, ARRAY, struct.pack("<IQ", STRING, len(values)) + b"".join(map(text, values)))


def row(name: str, dims: list[int], kind: int, offset: int, num_dims: int | None = None) -> bytes:
    count = len(dims) if num_dims is None else num_dims
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", count, *dims, kind, offset)


def assemble(
    keys: list[bytes],
    rows: list[bytes],
    data: bytes = b"",
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    num_tensors: int | None = None,
    num_keys: int | None = None,
) -> bytes:
    head = magic + struct.pack(
        "<IQQ",
        version,
        len(rows) if num_tensors is None else num_tensors,
        len(keys) if num_keys is None else num_keys,
    )
    body = head + b"".join(keys) + b"".join(rows)
    return body + b"\0" * (-len(body) % 32) + data


def architecture(name: str = "llama") -> bytes:
    return key("general.architecture", STRING, text(name))


def byte_vocabulary() -> tuple[list[str], list[bytes]]:
    """Returns the smallest byte-level vocabulary and the keys that belong to it, with one control token."""
    tokens = [*byte_letters(), "he", "hell", "ll", "<|im_end|>"]
    kinds = [1] * (len(tokens) - 1) + [3]
    keys = [
        key("tokenizer.ggml.model", STRING, text("gpt2")),
        key("tokenizer.ggml.pre", STRING, text("smollm")),
        key("tokenizer.ggml.token_type", ARRAY, struct.pack(f"<IQ{len(kinds)}I", U32, len(kinds), *kinds)),
        strings("tokenizer.ggml.merges", ["h e", "l l", "he ll"]),
        key("tokenizer.chat_template", STRING, text("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}")),
        u32("tokenizer.ggml.eos_token_id", len(tokens) - 1),
    ]
    return tokens, keys


def decoder(
    kind: str = "llama",
    *,
    vocabulary: int = 48,
    width: int = 64,
    num_layers: int = 2,
    num_heads: int = 4,
    num_kv_heads: int = 2,
    hidden: int = 96,
    tied: bool = False,
    num_tokens: int | None = None,
    tokens: list[str] | None = None,
    context: int = 128,
    extra: list[bytes] | None = None,
    tensors: dict[str, np.ndarray[Any, Any]] | None = None,
) -> bytes:
    """Returns a whole float32 decoder with random weights; `tensors` replaces some of them."""
    random = np.random.default_rng(0)
    head_width = width // num_heads
    made: dict[str, np.ndarray[Any, Any]] = {}

    def add(name: str, *shape: int) -> None:
        spread = 0.2 if len(shape) == 2 else 0.1
        centre = 1.0 if "norm" in name else 0.0
        made[name] = (centre + spread * random.standard_normal(shape)).astype(np.float32)

    add("token_embd.weight", vocabulary, width)
    add("output_norm.weight", width)
    if not tied:
        add("output.weight", vocabulary, width)
    for layer in range(num_layers):
        at = f"blk.{layer}."
        add(at + "attn_norm.weight", width)
        add(at + "ffn_norm.weight", width)
        for letter, heads in (("q", num_heads), ("k", num_kv_heads), ("v", num_kv_heads)):
            add(f"{at}attn_{letter}.weight", heads * head_width, width)
            if kind == "qwen2":
                add(f"{at}attn_{letter}.bias", heads * head_width)
            if kind == "qwen3" and letter in "qk":
                add(f"{at}attn_{letter}_norm.weight", head_width)
        add(at + "attn_output.weight", width, num_heads * head_width)
        add(at + "ffn_gate.weight", hidden, width)
        add(at + "ffn_up.weight", hidden, width)
        add(at + "ffn_down.weight", width, hidden)
    made |= tensors or {}
    keys = [
        architecture(kind),
        u32(f"{kind}.block_count", num_layers),
        u32(f"{kind}.context_length", context),
        u32(f"{kind}.embedding_length", width),
        u32(f"{kind}.feed_forward_length", hidden),
        u32(f"{kind}.attention.head_count", num_heads),
        u32(f"{kind}.attention.head_count_kv", num_kv_heads),
        key(f"{kind}.attention.layer_norm_rms_epsilon", F32, struct.pack("<f", 1e-5)),
        strings("tokenizer.ggml.tokens", tokens or [f"t{i}" for i in range(num_tokens or vocabulary)]),
        *(extra or []),
    ]
    rows, data = [], b""
    for name, values in made.items():
        rows.append(row(name, list(reversed(values.shape)), 0, len(data)))
        data += values.tobytes() + b"\0" * (-values.nbytes % 32)
    return assemble(keys, rows, data)
