"""A network in ncnn's files is read to the last byte, and refused when anything does not fit."""

from pathlib import Path

import numpy as np
import pytest

from inkseal.core.errors import ModelFileRefused
from inkseal.formats.ncnn import read_ncnn
from ncnn_maker import enlarger


def test_weights_come_back_in_both_precisions(tmp_path: Path) -> None:
    _, (kernel_a, bias_a, slopes, kernel_b, bias_b) = enlarger(tmp_path)
    layers = {layer.name: layer for layer in read_ncnn(tmp_path / "m.param", tmp_path / "m.bin")}
    assert (layers["a"].weights["kernel"] == kernel_a).all()
    assert (layers["a"].weights["bias"] == bias_a).all()
    assert (layers["p"].weights["slopes"] == slopes).all()
    assert (layers["b"].weights["kernel"] == kernel_b).all()
    assert (layers["b"].weights["bias"] == bias_b).all()
    assert layers["sum"].inputs == ("4", "5")
    assert layers["i"].numbers == {0: 1, 1: 4, 2: 4}
    assert layers["a"].weights["kernel"].dtype == np.float32


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7767517", "7767518"),
        ("8 9", "9 9"),
        ("8 9", "x"),
        ("PReLU p", "Softmax p"),
        ("PReLU p 1 1 1 2 0=5", "PReLU p 1 1 1"),
        ("PReLU p 1 1 1 2 0=5", "PReLU p 1 1 1 2 0=-5"),
        ("PReLU p 1 1 1 2", "PReLU p 1 1 nobody 2"),
        ("0=5 1=3 4=1 5=1 6=135", "0=5 1=3 4=1 5=1 6=136"),
        ("0=5 1=3 4=1 5=1 6=135", "0=5 1=0 4=1 5=1 6=135"),
        ("0=5 1=3 4=1 5=1 6=135", "0=5 1=3 4=1 5=1 6=1e30"),
        ("0=5 1=3 4=1 5=1 6=135", "0=5 1=3 4=1 5=1 6=nan"),
        ("0=5 1=3 4=1 5=1 6=135", "0=inf 1=3 4=1 5=1 6=135"),
    ],
)
def test_fault_34_a_malformed_text_is_refused(tmp_path: Path, old: str, new: str) -> None:
    enlarger(tmp_path)
    text = (tmp_path / "m.param").read_text()
    assert old in text
    (tmp_path / "m.param").write_text(text.replace(old, new))
    with pytest.raises(ModelFileRefused):
        read_ncnn(tmp_path / "m.param", tmp_path / "m.bin")


@pytest.mark.parametrize("damage", ["cut", "more", "tag", "empty"])
def test_fault_34_weights_that_do_not_fit_are_refused(tmp_path: Path, damage: str) -> None:
    enlarger(tmp_path)
    data = (tmp_path / "m.bin").read_bytes()
    other = {"cut": data[:-2], "more": data + b"\0\0\0\0", "tag": b"\x38\x4b\x0d\0" + data[4:], "empty": b""}[damage]
    (tmp_path / "m.bin").write_bytes(other)
    with pytest.raises(ModelFileRefused):
        read_ncnn(tmp_path / "m.param", tmp_path / "m.bin")
