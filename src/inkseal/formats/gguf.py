"""Reads GGUF files by hand: header, metadata and tensor table, every length checked against the file before use.

Tensor data is mapped, never copied. Knows the sizes of block types, not how to decode them (see `weights`).
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.formats.tensor_file import TensorFile, TensorInfo

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_TENSORS = 65_536
MAX_KEYS = 65_536
MAX_ARRAY = 1 << 24
MAX_NAME_BYTES = 1_024
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 16

# type number in the file -> (name, weights in a block, bytes of a block)
BLOCK_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2),
}

_SCALARS: dict[int, struct.Struct] = {
    number: struct.Struct("<" + letter)
    for number, letter in {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 10: "Q", 11: "q", 12: "d"}.items()
}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


@dataclass(frozen=True)
class GGUF(TensorFile):
    """A checked GGUF file: its facts, and its tensors on demand; their types are named in `BLOCK_TYPES`."""

    version: int
    alignment: int
    metadata: dict[str, Any]

    @property
    def architecture(self) -> str:
        """The `general.architecture` entry, such as `llama` or `qwen2`."""
        return str(self.metadata["general.architecture"])


def read_header(path: Path) -> GGUF:
    """Parses and checks everything before the tensor data.

    Raises:
        ModelFileRefused: the file is not GGUF, or a field of it does not add up; names the field or tensor.
    """
    with path.open("rb") as file:
        if file.seek(0, 2) < 24:
            _refuse(path, say("it is shorter than a GGUF header", "文件短于 GGUF 头部"))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return _Parser(path, view).parse()


def _refuse(path: Path, why: str) -> NoReturn:
    raise ModelFileRefused(
        say(f"The GGUF file {path.name} is refused: {why}.", f"拒绝使用 GGUF 文件 {path.name}：{why}。"),
        fix=say("Fetch the model again and compare its SHA-256.", "请重新下载模型并核对 SHA-256。"),
    )


class _Parser:
    """A cursor over the file; each read says what it reads, so that a refusal can name it."""

    def __init__(self, path: Path, view: mmap.mmap) -> None:
        self.path, self.view, self.size, self.at = path, view, len(view), 0

    def refuse(self, en: str, zh: str) -> NoReturn:
        _refuse(self.path, say(en, zh))

    def take(self, length: int, what: str) -> bytes:
        if length > self.size - self.at:
            self.refuse(
                f"{what} needs {length} bytes at byte {self.at}, but the file ends at {self.size}",
                f"{what} 在字节 {self.at} 处需要 {length} 字节，而文件止于 {self.size}",
            )
        data = self.view[self.at : self.at + length]
        self.at += length
        return data

    def number(self, layout: struct.Struct, what: str) -> Any:
        return layout.unpack(self.take(layout.size, what))[0]

    def count(self, what: str, limit: int, least_bytes: int) -> int:
        """Reads an entry count; refuses what the limit or the rest of the file cannot hold."""
        value = int(self.number(_U64, what))
        if value > limit or value * least_bytes > self.size - self.at:
            self.refuse(f"{what} is {value}, more than can be", f"{what} 为 {value}，超出可能范围")
        return value

    def string(self, what: str, limit: int | None = None) -> str:
        length = int(self.number(_U64, what))
        if limit is not None and length > limit:
            self.refuse(f"{what} is {length} bytes long", f"{what} 长达 {length} 字节")
        try:
            return self.take(length, what).decode("utf-8")
        except UnicodeDecodeError:
            self.refuse(f"{what} is not UTF-8", f"{what} 不是 UTF-8")

    def strings(self, num: int, what: str) -> list[str]:
        """Reads many strings at once: a vocabulary has some hundred thousand."""
        view, size, at = self.view, self.size, self.at
        found: list[str] = []
        while len(found) < num and at + _U64.size <= size:
            begin = at + _U64.size
            end = begin + _U64.unpack_from(view, at)[0]
            if end > size:
                break
            try:
                found.append(view[begin:end].decode("utf-8"))
            except UnicodeDecodeError:
                break
            at = end
        self.at = at
        while len(found) < num:
            found.append(self.string(what))  # says what is off
        return found

    def parse(self) -> GGUF:
        if self.take(4, "magic") != MAGIC:
            self.refuse("it does not start with GGUF", "开头不是 GGUF")
        version = int(self.number(_U32, "version"))
        if version not in VERSIONS:
            self.refuse(f"version {version} is not one of {VERSIONS}", f"版本 {version} 不在 {VERSIONS} 之内")
        num_tensors = self.count("tensor_count", MAX_TENSORS, 32)
        num_keys = self.count("metadata_kv_count", MAX_KEYS, 13)
        metadata = self.metadata(num_keys)
        if not isinstance(metadata.get("general.architecture"), str):
            self.refuse("general.architecture is missing", "缺少 general.architecture")
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
            self.refuse(f"general.alignment is {alignment!r}", f"general.alignment 为 {alignment!r}")
        entries = [self.tensor_entry() for _ in range(num_tensors)]
        tensors = self.place(entries, alignment)
        return GGUF(self.path, tensors, version, alignment, metadata)

    def metadata(self, num_keys: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for index in range(num_keys):
            key = self.string(f"metadata key {index}", MAX_NAME_BYTES)
            if key in found:
                self.refuse(f"metadata key {key!r} appears twice", f"元数据键 {key!r} 出现两次")
            found[key] = self.value(int(self.number(_U32, f"type of {key}")), key)
        return found

    def value(self, kind: int, key: str) -> Any:
        if kind == _STRING:
            return self.string(key)
        if kind == _ARRAY:
            return self.array(key)
        if kind == _BOOL:
            return self.take(1, key) != b"\0"
        if kind in _SCALARS:
            return self.number(_SCALARS[kind], key)
        self.refuse(f"{key} has the unknown value type {kind}", f"{key} 的值类型 {kind} 未知")

    def array(self, key: str) -> list[Any]:
        kind = int(self.number(_U32, f"element type of {key}"))
        if kind == _STRING:
            num = self.count(f"length of {key}", MAX_ARRAY, 8)
            return self.strings(num, key)
        if kind == _BOOL:
            num = self.count(f"length of {key}", MAX_ARRAY, 1)
            return [byte != 0 for byte in self.take(num, key)]
        if kind not in _SCALARS:  # arrays of arrays included: no model needs them, and they nest without end
            self.refuse(f"{key} has elements of type {kind}", f"{key} 的元素类型为 {kind}")
        layout = _SCALARS[kind]
        num = self.count(f"length of {key}", MAX_ARRAY, layout.size)
        return list(np.frombuffer(self.take(num * layout.size, key), dtype=layout.format).tolist())

    def tensor_entry(self) -> TensorInfo:
        """Reads one row of the tensor table; its offset is still counted from the start of the data."""
        name = self.string("a tensor name", MAX_NAME_BYTES)
        num_dims = int(self.number(_U32, f"n_dims of {name!r}"))
        if not 1 <= num_dims <= MAX_DIMENSIONS:
            self.refuse(f"tensor {name!r} has {num_dims} dimensions", f"张量 {name!r} 有 {num_dims} 维")
        dims = [int(self.number(_U64, f"shape of {name!r}")) for _ in range(num_dims)]
        number = int(self.number(_U32, f"type of {name!r}"))
        if number not in BLOCK_TYPES:
            self.refuse(f"tensor {name!r} has the unknown type {number}", f"张量 {name!r} 的类型 {number} 未知")
        type_name, block, block_bytes = BLOCK_TYPES[number]
        offset = int(self.number(_U64, f"offset of {name!r}"))
        num_weights = 1
        for dim in dims:  # Python integers do not overflow: the product is exact however large
            num_weights *= dim
        size_bytes = num_weights // block * block_bytes
        if num_weights == 0 or dims[0] % block or size_bytes > self.size:
            self.refuse(
                f"tensor {name!r} of type {type_name} cannot have the shape {dims}",
                f"类型为 {type_name} 的张量 {name!r} 不可能有形状 {dims}",
            )
        return TensorInfo(name, tuple(reversed(dims)), type_name, offset, size_bytes)

    def place(self, entries: list[TensorInfo], alignment: int) -> dict[str, TensorInfo]:
        """Turns offsets into file positions; refuses tensors that are misaligned, outside, doubled or overlapping."""
        start = -(-self.at // alignment) * alignment
        end = start
        for info in sorted(entries, key=lambda entry: entry.offset):
            if info.offset % alignment:
                self.refuse(f"tensor {info.name!r} is not aligned", f"张量 {info.name!r} 未对齐")
            if start + info.offset < end:
                self.refuse(f"tensor {info.name!r} overlaps the one before", f"张量 {info.name!r} 与前一个重叠")
            end = start + info.offset + info.size_bytes
            if end > self.size:
                self.refuse(f"tensor {info.name!r} ends past the file", f"张量 {info.name!r} 超出文件末尾")
        placed = {
            info.name: TensorInfo(info.name, info.shape, info.type_name, start + info.offset, info.size_bytes)
            for info in entries
        }
        if len(placed) != len(entries):
            self.refuse("two tensors have one name", "有两个同名张量")
        return placed
