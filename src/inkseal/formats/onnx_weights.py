"""Reads the weights of an ONNX file, and the byte strings among its nodes' attributes, without the `onnx` package.

Source: onnx.proto, and the protocol-buffer wire format. Knows nothing of what the graph computes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say

Array = np.ndarray[Any, Any]

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 10: "<f2", 11: "<f8"}


def read_weights(path: Path) -> tuple[dict[str, Array], dict[str, bytes]]:
    """Returns the file's constant tensors by name, and the longest byte string of each type of node.

    Raises:
        ModelFileRefused: the file is malformed.
    """
    tensors: dict[str, Array] = {}
    strings: dict[str, bytes] = {}
    data = memoryview(path.read_bytes())
    for number, _, graph in fields(data):
        if number != 7:
            continue
        for part, kind, value in fields(graph):
            if part == 5 and kind == _BYTES:
                name, tensor = _tensor(value)
                tensors[name] = tensor
            elif part == 1 and kind == _BYTES:
                op_type, longest = _node(value)
                strings[op_type] = max(strings.get(op_type, b""), longest, key=len)
    if not tensors:
        refuse(say("it has no weights", "没有权重"))
    return tensors, strings


def fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yields (number, wire type, content) of each field of a message; a varint's content are its bytes.

    Raises:
        ModelFileRefused: a length leads past the end.
    """
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind, start = tag & 7, at
        if kind == _VARINT:
            _, at = varint(message, at)
        elif kind == _BYTES:
            length, start = varint(message, at)
            at = start + length
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            refuse(say(f"wire type {kind}", f"线型 {kind}"))
        if at > len(message):
            refuse(say("it is cut off", "文件被截断"))
        yield tag >> 3, kind, message[start:at]


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """Returns the number that begins at a place, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    refuse(say("a number has no end", "数字没有结尾"))


def _node(message: memoryview) -> tuple[str, bytes]:
    op_type, longest = "", b""
    for number, kind, value in fields(message):
        if number == 4 and kind == _BYTES:
            op_type = bytes(value).decode("utf-8", "replace")
        elif number == 5 and kind == _BYTES:
            found = [bytes(inner) for place, sort, inner in fields(value) if place == 4 and sort == _BYTES]
            longest = max([longest, *found], key=len)
    return op_type, longest


def _tensor(message: memoryview) -> tuple[str, Array]:
    """Reads a TensorProto: dims=1, data_type=2, float_data=4, int32_data=5, int64_data=7, name=8, raw_data=9."""
    shape: list[int] = []
    name, kind_number, raw, whole = "", 0, b"", list[int]()
    for number, kind, value in fields(message):
        if number in (1, 5, 7):
            found = _numbers(value, packed=kind == _BYTES)
            (shape if number == 1 else whole).extend(found)
        elif number == 2:
            kind_number = varint(value, 0)[0]
        elif number in (4, 9) and kind in (_BYTES, _FOUR):
            raw += bytes(value)
        elif number == 8:
            name = bytes(value).decode("utf-8", "replace")
    if kind_number not in _DTYPES:
        return name, np.zeros(0)  # strings and truth values: no weights
    dtype = np.dtype(_DTYPES[kind_number])
    flat = np.asarray(whole, np.int64).astype(dtype) if whole else np.frombuffer(raw, dtype)
    if any(size < 0 for size in shape) or flat.size != int(np.prod(shape, dtype=object)):
        refuse(say(f"the tensor {name[:80]!r} has {flat.size} entries, not {shape}", f"张量 {name[:80]!r} 大小不符"))
    return name, flat.reshape(shape)


def _numbers(value: memoryview, *, packed: bool) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(number - (1 << 64) if number >> 63 else number)
        if not packed:
            break
    return found


def refuse(why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The ONNX file is refused: {why}.", f"拒绝使用该 ONNX 文件：{why}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )
