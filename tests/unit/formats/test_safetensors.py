"""The safetensors validator on whole files, on attack files and on noise."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkseal.core.errors import ModelFileRefused
from inkseal.formats import safetensors


def entry(dtype: str, shape: list[Any], start: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def pack(header: dict[str, Any] | str, data: bytes, length: int | None = None) -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


ONE = entry("F32", [2, 2], 0, 16)
GOOD = pack(
    {"__metadata__": {"format": "pt"}, "one": ONE, "two": entry("BF16", [2], 16, 20)},
    np.arange(4, dtype=np.float32).tobytes() + bytes(4),
)


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    return path


def test_whole_file_is_read(tmp_path: Path) -> None:
    file = safetensors.read_header(write(tmp_path, GOOD))
    assert file.metadata == {"format": "pt"}
    assert file.tensors["two"].type_name == "BF16"
    assert file.tensor("one").view(np.float32).tolist() == [0, 1, 2, 3]


def test_scalar_and_empty_tensors_are_allowed(tmp_path: Path) -> None:
    file = safetensors.read_header(
        write(tmp_path, pack({"s": entry("F32", [], 0, 4), "e": entry("U8", [0], 4, 4)}, bytes(4)))
    )
    assert file.tensors["s"].size_bytes == 4
    assert file.tensors["e"].size_bytes == 0


ATTACKS: dict[str, tuple[bytes, str]] = {
    "header_length": (pack({"one": ONE}, bytes(16), 1 << 63), "header length"),
    "header_past_end": (pack({"one": ONE}, b"", 4_000), "header length"),
    "not_json": (pack("{", b""), "not JSON"),
    "deep_json": (pack("[" * 100_000, b""), "not JSON"),
    "not_a_table": (pack("[]", b""), "not a table"),
    "not_utf8": (struct.pack("<Q", 2) + b"\xff\xfe", "not JSON"),
    "overlap": (pack({"one": ONE, "two": entry("F32", [2], 8, 16)}, bytes(16)), "overlap"),
    "gap": (pack({"one": ONE, "two": entry("F32", [1], 20, 24)}, bytes(24)), "gap before tensor 'two'"),
    "gap_at_start": (pack({"one": entry("F32", [1], 4, 8)}, bytes(8)), "gap before tensor 'one'"),
    "out_of_range": (pack({"one": ONE}, bytes(8)), "'one' ends past"),
    "dtype_lies": (pack({"one": entry("F16", [2, 2], 0, 16)}, bytes(16)), "'one'.*needs 8 bytes"),
    "dtype_unknown": (pack({"one": entry("PICKLE", [2, 2], 0, 16)}, bytes(16)), "dtype 'PICKLE'"),
    "shape_overflow": (pack({"one": entry("F32", [1 << 62, 16], 0, 16)}, bytes(16)), "'one'"),
    "shape_negative": (pack({"one": entry("F32", [-2, -2], 0, 16)}, bytes(16)), "'one' has no proper shape"),
    "shape_true": (pack({"one": entry("F32", [True, 4], 0, 16)}, bytes(16)), "'one' has no proper shape"),
    "offsets_backwards": (pack({"one": entry("F32", [2], 8, 0)}, bytes(8)), "data_offsets"),
    "offsets_of_text": (pack({"one": entry("F32", [2], "0", "8")}, bytes(8)), "data_offsets"),
    "doubled_name": (
        pack(f'{{"one": {json.dumps(ONE)}, "one": {json.dumps(ONE)}}}', bytes(16)),
        "'one' appears twice",
    ),
    "trailing_bytes": (pack({"one": ONE}, bytes(17)), "1 bytes after the last"),
    "metadata": (pack({"__metadata__": {"a": 1}, "one": ONE}, bytes(16)), "__metadata__"),
    "entry_is_text": (pack({"one": "x"}, bytes(16)), "'one'"),
    "empty": (b"", "shorter"),
    "truncated": (GOOD[:-1], "ends past"),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_fault_34_attack_files_are_refused_by_name(name: str, tmp_path: Path) -> None:
    data, words = ATTACKS[name]
    with pytest.raises(ModelFileRefused, match=words):
        safetensors.read_header(write(tmp_path, data))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_fault_34_changed_bytes_never_crash(tmp_path: Path, data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        file = safetensors.read_header(write(tmp_path, bytes(broken)))
    except ModelFileRefused:
        return
    for name, info in file.tensors.items():
        assert len(file.tensor(name)) == info.size_bytes


def test_agrees_with_the_reference_writer(tmp_path: Path) -> None:
    reference = pytest.importorskip("safetensors.numpy")
    arrays = {"b": np.ones((3, 5), np.float16), "a": np.arange(7, dtype=np.int64)}
    path = tmp_path / "model.safetensors"
    reference.save_file(arrays, path)
    file = safetensors.read_header(path)
    for name, array in arrays.items():
        assert np.array_equal(file.tensor(name).view(array.dtype).reshape(array.shape), array)
