"""OpenVINO graphs whose constants lie in one safetensors file, so that weights are shipped once for both readers.

Knows nothing of what the graphs compute.
"""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.formats.openvino_core import core, silence_telemetry
from inkseal.formats.safetensors import read_header
from inkseal.formats.safetensors_writer import write_safetensors
from inkseal.store.durable import write_whole

CONSTANTS = ".constants"
"""The tensor that holds what the graphs need besides weights; its name sorts before all others, so it is aligned."""
ALIGNMENT = 64

_PLACE = re.compile(r'offset="(\d+)" size="(\d+)"')
_LAYER = re.compile(r'<layer id="(\d+)" name="[^"]*" type="(\w+)"')
_NUMBERED = re.compile(r"\bResult_\d+")
_NAMED = ("Parameter", "Result")


def save_graphs(
    folder: Path,
    weights: str,
    tensors: Mapping[str, npt.NDArray[Any]],
    graphs: Mapping[str, Any],
    metadata: Mapping[str, str],
) -> None:
    """Writes the tensors as the file `weights`, and each graph as `<name>.xml`, which points into that file.

    Equal input gives equal bytes. A graph has one result or named ones; constants that are no tensor are gathered in
    `CONSTANTS`.

    Raises:
        NotEnoughSpace, StoreError: the disk cannot take it.
    """
    silence_telemetry()
    import openvino

    drawn: dict[str, tuple[str, bytes]] = {}
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as temporary:
        for name, graph in graphs.items():
            path = Path(temporary, f"{name}.xml")
            openvino.save_model(graph, path, compress_to_fp16=False)
            drawn[name] = path.read_text("utf-8"), path.with_suffix(".bin").read_bytes()
    known = {_digest(np.ascontiguousarray(tensor).tobytes()): name for name, tensor in tensors.items()}
    pool, pooled = _pool(drawn, known)
    write_safetensors(folder / weights, {**tensors, CONSTANTS: np.frombuffer(pool, np.uint8)}, metadata)
    infos = read_header(folder / weights).tensors

    def place_of(content: bytes) -> int:
        digest = _digest(content)
        if digest in known:
            return infos[known[digest]].offset
        return infos[CONSTANTS].offset + pooled[digest]

    for name, (text, constants) in drawn.items():
        write_whole(folder / f"{name}.xml", _redirected(text, constants, place_of).encode())


def read_graph(folder: Path, name: str, weights: str) -> Any:
    """Returns the `openvino.Model` that `save_graphs` wrote; its weights stay mapped from the file."""
    return core().read_model(str(folder / f"{name}.xml"), str(folder / weights))


def _pool(drawn: Mapping[str, tuple[str, bytes]], known: Mapping[str, str]) -> tuple[bytes, dict[str, int]]:
    """Returns the constants that no tensor holds, one after another, and by their digest where each begins."""
    pool, places = bytearray(), dict[str, int]()
    for text, constants in drawn.values():
        for match in _PLACE.finditer(text):
            content = _content(constants, match)
            digest = _digest(content)
            if digest not in known and digest not in places:
                places[digest] = len(pool)
                pool += content + b"\0" * (-len(content) % ALIGNMENT)
    return bytes(pool), places


def _redirected(text: str, constants: bytes, place_of: Any) -> str:
    def place(match: re.Match[str]) -> str:
        return f'offset="{place_of(_content(constants, match))}" size="{match[2]}"'

    def layer(match: re.Match[str]) -> str:
        # The library numbers unnamed nodes through the life of a process: the same graph would differ each time.
        return (
            match[0] if match[2] in _NAMED else f'<layer id="{match[1]}" name="{match[2]}_{match[1]}" type="{match[2]}"'
        )

    return _NUMBERED.sub("Result", _LAYER.sub(layer, _PLACE.sub(place, text)))


def _content(constants: bytes, match: re.Match[str]) -> bytes:
    offset, size = int(match[1]), int(match[2])
    return constants[offset : offset + size]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
