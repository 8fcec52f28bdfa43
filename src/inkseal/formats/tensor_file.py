"""What every file of tensors comes down to, once its own header is understood and checked."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TensorInfo:
    """Where one tensor lies and how it is coded.

    Attributes:
        shape: rows first, as numpy counts.
        type_name: as the format calls it, such as `Q4_K` or `BF16`.
        offset: bytes from the start of the file.
        size_bytes: coded size.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class TensorFile:
    """A checked file; its tensors are mapped, never copied."""

    path: Path
    tensors: dict[str, TensorInfo]

    @cached_property
    def _bytes(self) -> npt.NDArray[np.uint8]:
        return np.memmap(self.path, dtype=np.uint8, mode="r")

    def tensor(self, name: str) -> npt.NDArray[np.uint8]:
        """Returns the coded bytes of one tensor, shape [size_bytes], as a read-only view of the file."""
        info = self.tensors[name]
        return self._bytes[info.offset : info.offset + info.size_bytes]
