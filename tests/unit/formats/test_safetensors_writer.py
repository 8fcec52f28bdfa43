"""What is written is what the reader, and an independent one, find."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inkseal.formats.safetensors import read_header
from inkseal.formats.safetensors_writer import write_safetensors

_dtypes = st.sampled_from([np.uint8, np.int32, np.int64, np.float16, np.float32])
_tensors = st.dictionaries(
    st.text("abcdef.", min_size=1, max_size=8),
    _dtypes.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))),
    max_size=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tensors=_tensors, facts=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2))
def test_tensors_come_back(tensors: dict[str, np.ndarray], facts: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, tensors, facts)
    file = read_header(path)
    assert file.metadata == facts
    assert set(file.tensors) == set(tensors)
    for name, tensor in tensors.items():
        assert file.tensors[name].shape == tensor.shape
        assert file.tensor(name).tobytes() == np.ascontiguousarray(tensor).tobytes()


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    tensors = {"b": np.arange(6, dtype=np.int32).reshape(2, 3).T, "a": np.ones((2, 2), np.float16)}
    write_safetensors(tmp_path / "a.safetensors", tensors)
    for name, tensor in safetensors.load_file(tmp_path / "a.safetensors").items():
        assert np.array_equal(tensor, tensors[name])


def test_equal_input_gives_equal_bytes_and_no_rubbish(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_safetensors(tmp_path / name, {"y": np.zeros(3), "x": np.ones(2, np.uint8)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
