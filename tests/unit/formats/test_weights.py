"""Decoding against the reference package, coding against its error bounds."""

from typing import Any

import numpy as np
import pytest

from inkseal.formats import weights
from inkseal.formats.gguf import BLOCK_TYPES
from inkseal.formats.weights import Coded, WeightFormat, code_rows, dequantise, keep_codes

QUANTISED = [name for _, (name, block, _) in BLOCK_TYPES.items() if block > 1]


def decoded(coded: Coded) -> np.ndarray[Any, Any]:
    """Undoes the coding as the engine's contract says, in plain steps."""
    rows = len(coded.codes)
    if coded.kind == "f16":
        return coded.codes.astype(np.float32)
    assert coded.scale is not None
    codes = coded.codes.astype(np.int16)
    if coded.kind in ("u4", "i4"):
        codes = np.stack([codes & 15, codes >> 4], axis=-1).reshape(rows, -1)
    if coded.kind == "i4":
        codes = np.where(codes > 7, codes - 16, codes)
    groups = codes.reshape(rows, coded.scale.shape[1], -1).astype(np.float32)
    if coded.zero is not None:
        groups = groups - coded.zero[:, :, None]
    groups = groups * coded.scale.astype(np.float32)[:, :, None]
    if coded.rest is not None:
        groups = groups + decoded(coded.rest)[:, :, None]
    return groups.reshape(rows, -1)


def raw_blocks(type_name: str, seed: int = 0) -> tuple[np.ndarray[Any, Any], int]:
    """Random blocks whose float16 fields are small, finite numbers; four rows of 512 weights."""
    block, size = next((b, s) for name, b, s in BLOCK_TYPES.values() if name == type_name)
    raw = np.random.default_rng(seed).integers(0, 256, (4 * 512 // block, size), dtype=np.uint8)
    halves = {
        "Q6_K": [208],
        "Q2_K": [80, 82],
        "Q3_K": [108],
        "Q4_1": [0, 2],
        "Q5_1": [0, 2],
        "Q4_K": [0, 2],
        "Q5_K": [0, 2],
    }
    for at in halves.get(type_name, [0]):
        raw[:, at : at + 2] = (
            (0.01 * (1 + np.random.default_rng(seed).random(len(raw)))).astype("<f2").view(np.uint8).reshape(-1, 2)
        )
    return raw, block


@pytest.mark.parametrize("type_name", [*QUANTISED, "F16", "BF16", "F32"])
def test_decoding_equals_the_reference_package(type_name: str) -> None:
    reference = pytest.importorskip("gguf")
    kind = reference.GGMLQuantizationType[type_name]
    if type_name in QUANTISED:
        raw, _ = raw_blocks(type_name)
    else:
        raw = (
            np.random.default_rng(1).standard_normal((4, 512)).astype(np.float16 if type_name == "F16" else np.float32)
        )
        raw = raw.view(np.uint8)
    wanted = reference.quants.dequantize(raw.reshape(-1), kind)
    assert np.array_equal(dequantise(raw.reshape(-1), type_name, wanted.shape), wanted, equal_nan=True)


@pytest.mark.parametrize(
    ("weight_format", "bound"),
    [("f16", 0.0005), ("int8", 0.01), ("int4_asym_64", 0.12), ("int4_sym_128", 0.13)],
)
def test_coding_error_is_bounded(weight_format: WeightFormat, bound: float) -> None:
    rows = np.random.default_rng(2).standard_normal((16, 256)).astype(np.float32) * 0.02
    error = decoded(code_rows(rows, weight_format)) - rows
    assert np.sqrt((error**2).mean()) / rows.std() < bound


@pytest.mark.parametrize("weight_format", ["int8", "int4_asym_64", "int4_sym_128"])
def test_no_weight_is_further_off_than_its_step(weight_format: WeightFormat) -> None:
    rows = np.random.default_rng(3).standard_normal((8, 256)).astype(np.float32)
    coded = code_rows(rows, weight_format)
    assert coded.scale is not None
    step = np.repeat(np.abs(coded.scale.astype(np.float32)), 256 // coded.scale.shape[1], axis=1)
    assert (np.abs(decoded(coded) - rows) <= 1.01 * step).all()


@pytest.mark.parametrize("weight_format", ["int8", "int4_asym_64", "int4_sym_128"])
@pytest.mark.parametrize("value", [0.0, 1e-7, -0.5, 3.0])
def test_constant_rows_survive(weight_format: WeightFormat, value: float) -> None:
    rows = np.full((2, 128), value, np.float32)
    assert np.allclose(decoded(code_rows(rows, weight_format)), rows, atol=1e-4, rtol=2e-3)


def test_columns_that_groups_do_not_divide_fall_back_to_int8() -> None:
    assert code_rows(np.ones((2, 96), np.float32), "int4_asym_64").kind == "i8"


@pytest.mark.parametrize("type_name", weights.FOUR_BIT_TYPES)
def test_kept_codes_lose_nothing_that_matters(type_name: str) -> None:
    raw, _ = raw_blocks(type_name, seed=4)
    wanted = dequantise(raw.reshape(-1), type_name, (4, 512))
    kept = keep_codes(raw.reshape(-1), type_name, 4)
    error = decoded(kept) - wanted
    assert np.sqrt((error**2).mean()) / wanted.std() < 0.005
    again = decoded(code_rows(wanted, "int4_asym_64")) - wanted
    assert (error**2).mean() < 0.02 * (again**2).mean()  # rounding a second time is what this avoids


def test_rows_are_put_and_ordered() -> None:
    raw, _ = raw_blocks("Q4_1", seed=5)
    whole = weights.room_for(4, keep_codes(raw.reshape(-1)[: raw.size // 4], "Q4_1", 1))
    for row in range(4):
        quarter = raw.reshape(4, -1)[row]
        whole.put(row, keep_codes(quarter, "Q4_1", 1))
    assert np.array_equal(decoded(whole), decoded(keep_codes(raw.reshape(-1), "Q4_1", 4)))
    order = np.array([2, 0, 3, 1])
    assert np.array_equal(decoded(whole.rows_in_order(order)), decoded(whole)[order])
