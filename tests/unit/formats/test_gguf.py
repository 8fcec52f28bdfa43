"""The GGUF parser on whole files, on attack files and on noise."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gguf_maker as make
from inkseal.core.errors import ModelFileRefused
from inkseal.formats import gguf

GOOD = make.assemble(
    [make.architecture(), make.strings("tokenizer.ggml.tokens", ["a", "墨"]), make.u32("general.alignment", 32)],
    [make.row("one", [4, 2], 0, 0), make.row("two", [32], 8, 32)],
    np.arange(8, dtype=np.float32).tobytes() + bytes(34),
)


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return path


def test_whole_file_is_read(tmp_path: Path) -> None:
    file = gguf.read_header(write(tmp_path, GOOD))
    assert file.architecture == "llama"
    assert file.metadata["tokenizer.ggml.tokens"] == ["a", "墨"]
    assert file.tensors["one"].shape == (2, 4)
    assert file.tensors["two"].size_bytes == 34
    assert file.tensor("one").view(np.float32).tolist() == list(range(8))


A = make.architecture()
DATA = bytes(64)
HUGE = 1 << 63
ATTACKS: dict[str, tuple[bytes, str]] = {
    "magic": (make.assemble([A], [], magic=b"GGML"), "GGUF"),
    "version": (make.assemble([A], [], version=99), "version 99"),
    "num_tensors": (make.assemble([A], [], DATA, num_tensors=HUGE), "tensor_count"),
    "num_keys": (make.assemble([A], [], DATA, num_keys=HUGE), "metadata_kv_count"),
    "num_dims": (make.assemble([A], [make.row("t", [4], 0, 0, num_dims=99)], DATA), "'t' has 99 dimensions"),
    "no_dims": (make.assemble([A], [make.row("t", [], 0, 0)], DATA), "'t' has 0 dimensions"),
    "product_overflow": (make.assemble([A], [make.row("t", [1 << 32, 1 << 32, 2], 0, 0)], DATA), "'t'"),
    "product_wraps_to_four": (make.assemble([A], [make.row("t", [1 << 62, 4, 4], 0, 0)], DATA), "'t'"),
    "zero_dimension": (make.assemble([A], [make.row("t", [0], 0, 0)], DATA), "'t'"),
    "partial_block": (make.assemble([A], [make.row("t", [33], 8, 0)], DATA), "'t'"),
    "offset_past_end": (make.assemble([A], [make.row("t", [4], 0, 1 << 40)], DATA), "'t' ends past"),
    "offset_huge": (make.assemble([A], [make.row("t", [4], 0, HUGE)], DATA), "'t' ends past"),
    "misaligned": (make.assemble([A], [make.row("t", [4], 0, 4)], DATA), "'t' is not aligned"),
    "overlap": (make.assemble([A], [make.row("t", [16], 0, 0), make.row("u", [4], 0, 32)], DATA), "'u' overlaps"),
    "same_name": (make.assemble([A], [make.row("t", [4], 0, 0), make.row("t", [4], 0, 32)], DATA), "one name"),
    "unknown_type": (make.assemble([A], [make.row("t", [4], 77, 0)], DATA), "type 77"),
    "string_length": (make.assemble([A, make.key("k", 8, struct.pack("<Q", HUGE))], []), "k needs"),
    "key_length": (make.assemble([A, struct.pack("<Q", HUGE)], []), "metadata key 1"),
    "array_length": (make.assemble([A, make.key("k", 9, struct.pack("<IQ", 4, HUGE))], []), "length of k"),
    "nested_array": (make.assemble([A, make.key("k", 9, struct.pack("<IQ", 9, 1))], []), "elements of type 9"),
    "value_type": (make.assemble([A, make.key("k", 200, b"")], []), "value type 200"),
    "doubled_key": (make.assemble([A, A], []), "twice"),
    "alignment": (make.assemble([A, make.u32("general.alignment", 3)], []), "alignment"),
    "alignment_zero": (make.assemble([A, make.u32("general.alignment", 0)], []), "alignment"),
    "no_architecture": (make.assemble([make.u32("k", 1)], [], DATA), "general.architecture"),
    "not_utf8": (make.assemble([A, make.key("k", 8, struct.pack("<Q", 2) + b"\xff\xfe")], []), "k is not UTF-8"),
    "empty": (b"", "shorter"),
    "truncated": (GOOD[:-40], "ends past"),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_fault_35_attack_files_are_refused_by_name(name: str, tmp_path: Path) -> None:
    data, words = ATTACKS[name]
    path = write(tmp_path, data)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileRefused, match=words):
            gguf.read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_fault_35_changed_bytes_never_crash(tmp_path: Path, data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        file = gguf.read_header(write(tmp_path, bytes(broken)))
    except ModelFileRefused:
        return
    for name, info in file.tensors.items():
        assert len(file.tensor(name)) == info.size_bytes


@pytest.mark.model
def test_real_file_agrees_with_an_independent_reader(tiny_gguf: Path) -> None:
    reader = pytest.importorskip("gguf").GGUFReader(tiny_gguf)
    file = gguf.read_header(tiny_gguf)
    assert len(reader.tensors) == len(file.tensors)
    for tensor in reader.tensors:
        info = file.tensors[tensor.name]
        assert list(reversed(info.shape)) == tensor.shape.tolist()
        assert (info.offset, info.size_bytes) == (tensor.data_offset, tensor.n_bytes)
