"""Runs a decoder in plain float32 numpy, layer by layer, straight from a checkpoint: slow, small, and independent.

What a converted model is judged against. Holds one layer's weights at a time; keeps no cache and generates nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.formats.checkpoint import Checkpoint
from inkseal.formats.decoder import rotary_frequencies
from inkseal.formats.weights import Floats

VOCABULARY_SLICE = 8_192


def token_losses(
    checkpoint: Checkpoint, texts: Sequence[Sequence[int]], between: Callable[[float], None] | None = None
) -> list[npt.NDArray[np.float64]]:
    """Returns for each text the losses −ln p of its tokens after the first.

    Args:
        texts: token ids; each text is its own context.
        between: called after each layer with the fraction done; may raise to stop.
    """
    config = checkpoint.config
    streams = [np.concatenate([checkpoint.rows("token_embd.weight", i, i + 1) for i in text]) for text in texts]
    turns = [_rotations(checkpoint, len(text)) for text in texts]
    for layer in range(config.num_layers):
        _layer(checkpoint, f"blk.{layer}.", streams, turns)
        if between:
            between((layer + 1) / (config.num_layers + 1))
    gain = checkpoint.vector("output_norm.weight")
    return _losses(checkpoint, [_norm(s, gain, config.norm_epsilon) for s in streams], texts)


def _norm(stream: Floats, gain: Floats, epsilon: float) -> Floats:
    mean = np.mean(stream * stream, axis=-1, keepdims=True)
    return np.asarray(stream / np.sqrt(mean + epsilon) * gain, np.float32)


def _rotations(checkpoint: Checkpoint, length: int) -> tuple[Floats, Floats]:
    """Cosine and sine, shape [T, 1, K / 2]."""
    angles = np.arange(length)[:, None, None] * rotary_frequencies(checkpoint.config)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _whole(checkpoint: Checkpoint, name: str) -> Floats:
    """A matrix or vector in the order of the graph."""
    vector = name.endswith((".bias", "norm.weight"))
    values = checkpoint.vector(name) if vector else checkpoint.rows(name, 0, checkpoint.num_rows(name))
    order = checkpoint.row_order(name)
    return values if order is None else values[order]


def _layer(checkpoint: Checkpoint, at: str, streams: list[Floats], turns: list[tuple[Floats, Floats]]) -> None:
    """Adds attention and the feed-forward half to each stream in place."""
    config = checkpoint.config
    weights = {letter: _whole(checkpoint, f"{at}attn_{letter}.weight") for letter in "qkv"}
    biases = {letter: _whole(checkpoint, f"{at}attn_{letter}.bias") for letter in "qkv" if config.qkv_bias}
    gains = {letter: _whole(checkpoint, f"{at}attn_{letter}_norm.weight") for letter in "qk" if config.head_norm}
    output = _whole(checkpoint, at + "attn_output.weight")
    gain = _whole(checkpoint, at + "attn_norm.weight")
    for stream, turn in zip(streams, turns, strict=True):
        normed = _norm(stream, gain, config.norm_epsilon)
        heads = {}
        for letter in "qkv":
            flat = normed @ weights[letter].T + biases.get(letter, np.float32(0))
            part = flat.reshape(len(stream), -1, config.head_width)
            if letter in gains:
                part = _norm(part, gains[letter], config.norm_epsilon)
            heads[letter] = part if letter == "v" else _turn(part, *turn)
        stream += _attend(heads["q"], heads["k"], heads["v"]) @ output.T
    gate, up, down = (_whole(checkpoint, f"{at}ffn_{part}.weight") for part in ("gate", "up", "down"))
    gain = _whole(checkpoint, at + "ffn_norm.weight")
    for stream in streams:
        normed = _norm(stream, gain, config.norm_epsilon)
        opened = normed @ gate.T
        opened /= 1 + np.exp(-opened)
        stream += (opened * (normed @ up.T)) @ down.T


def _turn(heads: Floats, cosine: Floats, sine: Floats) -> Floats:
    """Rotates the pairs (first half, second half) of [T, N, K]."""
    first, second = np.split(heads, 2, axis=-1)
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def _attend(query: Floats, key: Floats, value: Floats) -> Floats:
    """Causal attention; [T, N, K] and [T, N_kv, K] twice → [T, N·K]."""
    length, num_heads, width = query.shape
    group = num_heads // key.shape[1]
    future = np.triu(np.full((length, length), -np.inf, np.float32), 1)
    out = np.empty_like(query)
    for head in range(num_heads):
        scores = query[:, head] @ key[:, head // group].T / np.float32(np.sqrt(width)) + future
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, head] = scores @ value[:, head // group] / scores.sum(axis=1, keepdims=True)
    return out.reshape(length, -1)


def _losses(checkpoint: Checkpoint, streams: list[Floats], texts: Sequence[Sequence[int]]) -> list[Any]:
    """Cross entropy against the next token, a slice of the vocabulary at a time."""
    name = "token_embd.weight" if checkpoint.config.tied else "output.weight"
    tops = [np.full(len(text) - 1, -np.inf) for text in texts]
    sums = [np.zeros(len(text) - 1) for text in texts]
    said = [np.zeros(len(text) - 1) for text in texts]
    for start in range(0, checkpoint.config.vocabulary, VOCABULARY_SLICE):
        rows = checkpoint.rows(name, start, min(start + VOCABULARY_SLICE, checkpoint.config.vocabulary))
        for i, text in enumerate(texts):
            logits = streams[i][:-1] @ rows.T
            top = np.maximum(tops[i], logits.max(axis=1))
            sums[i] = sums[i] * np.exp(tops[i] - top) + np.exp(logits - top[:, None]).sum(axis=1)
            tops[i] = top
            target = np.asarray(text[1:]) - start
            here = np.flatnonzero((target >= 0) & (target < len(rows)))
            said[i][here] = logits[here, target[here]]
    return [top + np.log(total) - right for top, total, right in zip(tops, sums, said, strict=True)]
