"""Decodes GGUF weight blocks to float32, and codes float32 in the few forms that the CPU engine multiplies fast.

Everything works on slices of rows, so that a slice stays in the processor's cache. Knows nothing of files or graphs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inkseal.formats.gguf import BLOCK_TYPES

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
WeightFormat = Literal["int8", "int4_exact_32", "int4_asym_64", "int4_sym_128", "f16"]

_SIZES = {name: (block, size) for _, (name, block, size) in BLOCK_TYPES.items()}


def dequantise(raw: Bytes, type_name: str, shape: tuple[int, ...]) -> Floats:
    """Decodes blocks to float32.

    Args:
        raw: coded bytes of whole blocks.
        type_name: a name in `gguf.BLOCK_TYPES`.
        shape: of the result; the last axis is a whole number of blocks.

    Source: the block layouts of ggml-common.h (llama.cpp).
    """
    if type_name == "F32":
        return raw.view("<f4").reshape(shape)
    if type_name == "F16":
        return raw.view("<f2").astype(np.float32).reshape(shape)
    if type_name == "BF16":
        return widen_bf16(raw).reshape(shape)
    block, size = _SIZES[type_name]
    blocks = raw.reshape(-1, size)
    out = np.empty((len(blocks), block), np.float32)
    _DECODERS[type_name](blocks, out)
    return out.reshape(shape)


def widen_bf16(raw: Bytes) -> Floats:
    """Returns bfloat16 bytes as float32: the missing mantissa bits are zero."""
    wide: Floats = (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return wide


def _half(blocks: Bytes, at: int) -> Floats:
    """Reads one float16 a block; shape [blocks, 1]."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _fill_nibbles(packed: Bytes, out: npt.NDArray[Any]) -> None:
    """Spreads [blocks, 16] bytes over [blocks, 32]: low halves first, then high halves."""
    np.bitwise_and(packed, 15, out=out[:, :16], casting="unsafe")
    np.right_shift(packed, 4, out=out[:, 16:], casting="unsafe")


def _q4_0(blocks: Bytes, out: Floats) -> None:
    scale = _half(blocks, 0)
    _fill_nibbles(blocks[:, 2:], out)
    out *= scale
    out -= scale * 8


def _q4_1(blocks: Bytes, out: Floats) -> None:
    _fill_nibbles(blocks[:, 4:], out)
    out *= _half(blocks, 0)
    out += _half(blocks, 2)


def _five_bits(high: Bytes, low: Bytes) -> Bytes:
    """Joins [blocks, 4] bytes of fifth bits with [blocks, 16] bytes of halves to [blocks, 32] numbers."""
    codes = np.unpackbits(high, axis=1, bitorder="little")
    codes <<= 4
    codes[:, :16] |= low & 15
    codes[:, 16:] |= low >> 4
    return codes


def _q5_0(blocks: Bytes, out: Floats) -> None:
    scale = _half(blocks, 0)
    np.multiply(_five_bits(blocks[:, 2:6], blocks[:, 6:]), scale, out=out)
    out -= scale * 16


def _q5_1(blocks: Bytes, out: Floats) -> None:
    np.multiply(_five_bits(blocks[:, 4:8], blocks[:, 8:]), _half(blocks, 0), out=out)
    out += _half(blocks, 2)


def _q8_0(blocks: Bytes, out: Floats) -> None:
    np.multiply(blocks[:, 2:].view(np.int8), _half(blocks, 0), out=out)


def _six_bit_scales(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Unpacks the 12 bytes of a K block into 8 scales and 8 minima of six bits, shape [blocks, 8] each."""
    first, second, third = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (third & 15) | (first >> 6 << 4)], axis=1)
    minima = np.concatenate([second & 63, (third >> 4) | (second >> 6 << 4)], axis=1)
    return scales, minima


def _scale_and_shift(blocks: Bytes, codes: Bytes, out: Floats) -> None:
    """Finishes a K block of 8 runs of 32: code × scale − minimum; `codes` has shape [blocks, 8, 32]."""
    scales, minima = _six_bit_scales(blocks[:, 4:16])
    runs = out.reshape(-1, 8, 32)
    np.multiply(codes, (scales * _half(blocks, 0))[:, :, None], out=runs)
    runs -= (minima * _half(blocks, 2))[:, :, None]


def _q4_k(blocks: Bytes, out: Floats) -> None:
    packed = blocks[:, 16:].reshape(-1, 4, 32)
    codes = np.empty((len(blocks), 4, 2, 32), np.uint8)
    np.bitwise_and(packed, 15, out=codes[:, :, 0])
    np.right_shift(packed, 4, out=codes[:, :, 1])
    _scale_and_shift(blocks, codes.reshape(-1, 8, 32), out)


def _q5_k(blocks: Bytes, out: Floats) -> None:
    high, packed = blocks[:, 16:48], blocks[:, 48:].reshape(-1, 4, 32)
    codes = np.empty((len(blocks), 4, 2, 32), np.uint8)
    np.bitwise_and(packed, 15, out=codes[:, :, 0])
    np.right_shift(packed, 4, out=codes[:, :, 1])
    runs = codes.reshape(-1, 8, 32)
    for bit in range(8):
        runs[:, bit] |= (high >> bit & 1) << 4
    _scale_and_shift(blocks, runs, out)


def _q6_k(blocks: Bytes, out: Floats) -> None:
    low, high = blocks[:, :128].reshape(-1, 2, 2, 32), blocks[:, 128:192].reshape(-1, 2, 32)
    codes = np.empty((len(blocks), 2, 4, 32), np.uint8)
    np.bitwise_and(low, 15, out=codes[:, :, :2])
    np.right_shift(low, 4, out=codes[:, :, 2:])
    for part in range(4):
        codes[:, :, part] |= (high >> (2 * part) & 3) << 4
    scales = blocks[:, 192:208].view(np.int8) * _half(blocks, 208)
    runs = out.reshape(-1, 16, 16)
    np.multiply(codes.reshape(-1, 16, 16), scales[:, :, None], out=runs)
    runs -= (scales * 32)[:, :, None]


def _two_bits(packed: Bytes) -> Bytes:
    """Spreads [blocks, 64] bytes over [blocks, 2, 4, 32] codes: one shift for each run of 32."""
    halves = packed.reshape(-1, 2, 1, 32)
    return np.asarray(halves >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3)


def _q2_k(blocks: Bytes, out: Floats) -> None:
    packed_scales = blocks[:, :16]
    runs = out.reshape(-1, 16, 16)
    np.multiply(_two_bits(blocks[:, 16:80]).reshape(-1, 16, 16), 1.0, out=runs, casting="unsafe")
    runs *= ((packed_scales & 15) * _half(blocks, 80))[:, :, None]
    runs -= ((packed_scales >> 4) * _half(blocks, 82))[:, :, None]


def _q3_k(blocks: Bytes, out: Floats) -> None:
    high_bits = np.unpackbits(blocks[:, None, :32], axis=1, bitorder="little")  # [blocks, 8, 32]
    low, high = blocks[:, 96:104], blocks[:, 104:108]
    six = np.concatenate([low & 15, low >> 4], axis=1)
    six |= np.concatenate([high >> shift & 3 for shift in (0, 2, 4, 6)], axis=1) << 4
    scales = (six.astype(np.int8) - 32) * _half(blocks, 108)
    codes = _two_bits(blocks[:, 32:96]).reshape(-1, 8, 32).astype(np.int8)
    codes -= 4 - 4 * high_bits.astype(np.int8)
    np.multiply(codes.reshape(-1, 16, 16), scales[:, :, None], out=out.reshape(-1, 16, 16))


_DECODERS: dict[str, Callable[[Bytes, Floats], None]] = {
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q8_0": _q8_0,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
}


@dataclass(frozen=True)
class Coded:
    """A matrix [rows, columns] as the engine reads it: weight = (code − zero) × scale + rest of its group.

    Attributes:
        codes: uint8 or int8 [rows, columns]; of four bits, uint8 [rows, columns / 2], low half first; or float16.
        scale: float16 [rows, groups], or None for float16 codes.
        zero: uint8 [rows, groups], or None where the codes are signed.
        rest: what whole zero points leave out, [rows, groups], to be multiplied by each group's sum of inputs.
    """

    kind: Literal["i8", "u4", "i4", "f16"]
    columns: int
    codes: npt.NDArray[Any]
    scale: npt.NDArray[np.float16] | None
    zero: Bytes | None
    rest: "Coded | None" = None

    @property
    def size_bytes(self) -> int:
        """Bytes that the codes take, scales and zero points left out."""
        return self.codes.nbytes

    def put(self, start: int, part: "Coded") -> None:
        """Copies the rows of `part` to row `start` and after."""
        if self.rest is not None and part.rest is not None:
            self.rest.put(start, part.rest)
        for whole, piece in ((self.codes, part.codes), (self.scale, part.scale), (self.zero, part.zero)):
            if whole is not None and piece is not None:
                whole[start : start + len(piece)] = piece

    def rows_in_order(self, order: npt.NDArray[np.intp]) -> "Coded":
        """Returns the same rows in another order."""
        scale = None if self.scale is None else self.scale[order]
        zero = None if self.zero is None else self.zero[order]
        rest = None if self.rest is None else self.rest.rows_in_order(order)
        return Coded(self.kind, self.columns, self.codes[order], scale, zero, rest)


def room_for(num_rows: int, like: Coded) -> Coded:
    """Returns an unfilled matrix of `num_rows` rows coded as `like` is."""

    def grown(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.empty((num_rows, part.shape[1]), part.dtype)

    scale = None if like.scale is None else grown(like.scale)
    zero = None if like.zero is None else grown(like.zero)
    rest = None if like.rest is None else room_for(num_rows, like.rest)
    return Coded(like.kind, like.columns, grown(like.codes), scale, zero, rest)


FOUR_BIT_TYPES = ("Q4_0", "Q4_1", "Q4_K")
FOUR_BIT_GROUP = 32


def keep_codes(raw: Bytes, type_name: str, num_rows: int) -> Coded:
    """Carries the codes of a four-bit block type over as they are, without decoding and rounding a second time.

    A group of 32 is code × step + floor. The floor is split into a whole zero point, which the engine multiplies
    fast, and a rest of at most half a step, which is a matrix 32 times narrower.

    Args:
        raw: coded bytes of whole rows.
        type_name: one of `FOUR_BIT_TYPES`.
    """
    codes, step, floor = _FOUR_BIT_PARTS[type_name](raw.reshape(-1, _SIZES[type_name][1]))
    step, floor = step.reshape(num_rows, -1), floor.reshape(num_rows, -1)
    stored = _storable(step)
    scale = stored.astype(np.float32)
    zero = np.clip(np.rint(-floor / scale), 0, 15)
    rest = _int8(floor + zero * scale)
    packed = pack_halves(codes).reshape(num_rows, -1)
    return Coded("u4", packed.shape[1] * 2, packed, stored, zero.astype(np.uint8), rest)


def _parts_of_simple(blocks: Bytes) -> tuple[Bytes, Floats, Floats]:
    """Codes, step and floor of Q4_0 (18 bytes, floor −8 steps) or Q4_1 (20 bytes) blocks."""
    step = _half(blocks, 0)
    floor = step * -8 if blocks.shape[1] == 18 else _half(blocks, 2)
    codes = np.empty((len(blocks), 32), np.uint8)
    _fill_nibbles(blocks[:, -16:], codes)
    return codes, step, floor


def _parts_of_q4_k(blocks: Bytes) -> tuple[Bytes, Floats, Floats]:
    scales, minima = _six_bit_scales(blocks[:, 4:16])
    codes = np.empty((len(blocks), 4, 2, 32), np.uint8)
    packed = blocks[:, 16:].reshape(-1, 4, 32)
    np.bitwise_and(packed, 15, out=codes[:, :, 0])
    np.right_shift(packed, 4, out=codes[:, :, 1])
    return codes, scales * _half(blocks, 0), -(minima * _half(blocks, 2))


_FOUR_BIT_PARTS: dict[str, Callable[[Bytes], tuple[Bytes, Floats, Floats]]] = {
    "Q4_0": _parts_of_simple,
    "Q4_1": _parts_of_simple,
    "Q4_K": _parts_of_q4_k,
}


def code_rows(rows: Floats, weight_format: WeightFormat) -> Coded:
    """Codes a slice of rows, shape [rows, columns].

    A group that does not divide the columns falls back to int8, which has one scale a row.
    """
    columns = rows.shape[1]
    if weight_format == "f16":
        return Coded("f16", columns, rows.astype(np.float16), None, None)
    if weight_format == "int4_asym_64" and columns % 64 == 0:
        return _int4_asymmetric(rows, 64)
    if weight_format == "int4_sym_128" and columns % 128 == 0:
        return _int4_symmetric(rows, 128)
    return _int8(rows)


# Adding 1.5 · 2²³ to a float32 leaves its rounded value in the low mantissa bits: rounding and casting in one pass.
_MAGIC = np.float32(12_582_912.0)


def _low_bytes(shifted: npt.NDArray[Any]) -> Bytes:
    """Returns the low byte of values that carry `_MAGIC`."""
    assert shifted.dtype == np.float32  # a float64 would pass silently, twice as wide
    return shifted.view(np.uint32).astype(np.uint8)


def pack_halves(codes: Bytes) -> Bytes:
    """Joins neighbours of four bits, the first into the low half; returns them flat, half as many."""
    flat = codes.reshape(-1)
    pairs = (flat if flat.size % 2 == 0 else np.append(flat, np.uint8(0))).view("<u2")
    packed: Bytes = (pairs | pairs >> 4).astype(np.uint8)
    return packed


def _int8(rows: Floats) -> Coded:
    """One signed scale a row, largest weight at 127."""
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))[:, None]
    scale = _storable(largest / 127)
    codes = rows * (1 / scale.astype(np.float32))
    codes += _MAGIC
    np.clip(codes, _MAGIC - 127, _MAGIC + 127, out=codes)
    return Coded("i8", rows.shape[1], _low_bytes(codes).view(np.int8), scale, None)


def _int4_asymmetric(rows: Floats, group: int) -> Coded:
    """Codes 0…15 with a scale and a whole zero point for each group of columns."""
    runs = rows.reshape(len(rows), -1, group)
    low = np.minimum(runs.min(axis=2), 0)
    scale = _storable((np.maximum(runs.max(axis=2), 0) - low) / 15)
    step = scale.astype(np.float32)
    zero = np.clip(np.rint(-low / step), 0, 15)
    codes = runs * (1 / step)[:, :, None]
    codes += (zero + _MAGIC)[:, :, None]
    np.clip(codes, _MAGIC, _MAGIC + 15, out=codes)
    packed = pack_halves(_low_bytes(codes)).reshape(len(rows), -1)
    return Coded("u4", rows.shape[1], packed, scale, zero.astype(np.uint8))


def _int4_symmetric(rows: Floats, group: int) -> Coded:
    """Codes −8…7; the scale takes the sign that puts the largest weight at −8, so that all 16 codes serve."""
    runs = rows.reshape(len(rows), -1, group)
    low, high = runs.min(axis=2), runs.max(axis=2)
    scale = _storable(np.where(-low >= high, -low, -high) / 8)
    codes = runs * (1 / scale.astype(np.float32))[:, :, None]
    codes += _MAGIC
    np.clip(codes, _MAGIC - 8, _MAGIC + 7, out=codes)
    signed = _low_bytes(codes) & np.uint8(15)
    return Coded("i4", rows.shape[1], pack_halves(signed).reshape(len(rows), -1), scale, None)


def _storable(scale: Floats) -> npt.NDArray[np.float16]:
    """Rounds scales to float16 before they are used, so that codes fit what is stored; zero becomes harmless."""
    half = scale.astype(np.float16)
    half[np.abs(half) < np.finfo(np.float16).tiny] = np.finfo(np.float16).tiny
    return half
