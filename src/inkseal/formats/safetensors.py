"""Reads safetensors files by hand: the header is checked whole before any byte of data is used.

Tensor data is mapped, never copied. bfloat16 is left to the caller as raw bytes, since numpy has no such type.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.formats.tensor_file import TensorFile, TensorInfo

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_DIMENSIONS = 8

DTYPE_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "F64": 8,
    "I64": 8,
    "U64": 8,
}


@dataclass(frozen=True)
class Safetensors(TensorFile):
    """A checked safetensors file."""

    metadata: dict[str, str]


def read_header(path: Path) -> Safetensors:
    """Parses and checks the header.

    Raises:
        ModelFileRefused: the file is malformed; names the tensor or field.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            _refuse(path, say("it is shorter than its header length", "文件短于头部长度字段"))
        length = int.from_bytes(start, "little")
        if length > min(MAX_HEADER_BYTES, size - 8):
            _refuse(path, say(f"the header length is {length}", f"头部长度为 {length}"))
        text = file.read(length)
    entries = _parse(path, text)
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _refuse(path, say("__metadata__ is not a table of strings", "__metadata__ 不是字符串表"))
    infos = [_entry(path, name, facts, 8 + length) for name, facts in entries.items()]
    _check_layout(path, infos, 8 + length, size)
    return Safetensors(path, {info.name: info for info in infos}, metadata)


def _refuse(path: Path, why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The safetensors file {path.name} is refused: {why}.", f"拒绝使用 safetensors 文件 {path.name}：{why}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            _refuse(path, say(f"the name {twice!r} appears twice", f"名称 {twice!r} 出现两次"))
        return found

    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=without_doubles)
    except (ValueError, RecursionError):
        _refuse(path, say("the header is not JSON", "头部不是 JSON"))
    if not isinstance(entries, dict):
        _refuse(path, say("the header is not a table", "头部不是表"))
    return entries


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _entry(path: Path, name: str, facts: Any, data_start: int) -> TensorInfo:
    """Checks one row: known dtype, whole shape, and as many bytes as the two ask for."""
    label = repr(name[:80])
    facts = facts if isinstance(facts, dict) else {}
    dtype, shape, span = facts.get("dtype"), facts.get("shape"), facts.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        _refuse(path, say(f"tensor {label} has the unknown dtype {dtype!r}", f"张量 {label} 的类型 {dtype!r} 未知"))
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_count, shape)):
        _refuse(path, say(f"tensor {label} has no proper shape", f"张量 {label} 的形状不正确"))
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_count, span)) or span[0] > span[1]:
        _refuse(path, say(f"tensor {label} has no proper data_offsets", f"张量 {label} 的 data_offsets 不正确"))
    wanted = DTYPE_BYTES[dtype]
    for count in shape:  # Python integers do not overflow
        wanted *= count
    if wanted != span[1] - span[0]:
        _refuse(
            path,
            say(
                f"tensor {label} of {dtype} {shape} needs {wanted} bytes, but its offsets give {span[1] - span[0]}",
                f"类型 {dtype}、形状 {shape} 的张量 {label} 需要 {wanted} 字节，而偏移给出 {span[1] - span[0]}",
            ),
        )
    return TensorInfo(name, tuple(shape), dtype, data_start + span[0], wanted)


def _check_layout(path: Path, infos: list[TensorInfo], data_start: int, size: int) -> None:
    """Refuses gaps, overlaps, data past the end, and bytes that belong to no tensor."""
    ordered = sorted(infos, key=lambda info: (info.offset, info.size_bytes))
    for info in ordered:
        if info.offset + info.size_bytes > size:
            _refuse(path, say(f"tensor {info.name!r} ends past the file", f"张量 {info.name!r} 超出文件末尾"))
    if ordered and ordered[0].offset != data_start:
        _refuse(path, say(f"there is a gap before tensor {ordered[0].name!r}", f"张量 {ordered[0].name!r} 之前有空隙"))
    for before, after in pairwise(ordered):
        end = before.offset + before.size_bytes
        if after.offset < end:
            _refuse(
                path,
                say(
                    f"tensors {before.name!r} and {after.name!r} overlap",
                    f"张量 {before.name!r} 与 {after.name!r} 重叠",
                ),
            )
        if after.offset > end:
            _refuse(path, say(f"there is a gap before tensor {after.name!r}", f"张量 {after.name!r} 之前有空隙"))
    end = ordered[-1].offset + ordered[-1].size_bytes if ordered else data_start
    if end != size:
        _refuse(path, say(f"{size - end} bytes after the last tensor", f"最后一个张量之后还有 {size - end} 字节"))
