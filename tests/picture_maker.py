"""Makes small picture datasets of coloured shapes, in memory, for tests of what trains on pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class MadeRow:
    """Fits `PictureRow` and `LicensedRow`."""

    style: str
    id: str = "made"
    collection: str = "made"
    member: str = "made.svg"
    licence: str = "MIT"
    author: str = "a maker, of pictures"
    split: str = "train"
    captions: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class MadePictures:
    """Fits `inkseal.workshop.train.picture_batches.Pictures`."""

    pixels: npt.NDArray[np.uint8]
    vectors: npt.NDArray[np.float16]
    captions: npt.NDArray[np.int32]
    caption_row: npt.NDArray[np.int32]
    caption_language: npt.NDArray[np.uint8]
    rows: Sequence[MadeRow]

    @property
    def sha256(self) -> str:
        """Returns nothing: they are in no file."""
        return ""

    def places(self, split: str) -> npt.NDArray[np.int64]:
        """Returns the last quarter as held out; there is no validation."""
        cut = len(self.pixels) * 3 // 4
        rows = np.arange(len(self.pixels))
        return {"train": rows[:cut], "validation": rows[:0], "held_out": rows[cut:]}[split]


def make_pictures(count: int = 32, side: int = 64, seed: int = 0) -> MadePictures:
    """Returns discs and squares of six colours on white, with captions in two languages.

    The last two fifths have captions that no other picture has.
    """
    rng = np.random.default_rng(seed)
    colours = np.array([[220, 30, 30], [30, 160, 40], [40, 60, 220], [240, 200, 20], [150, 40, 170], [20, 20, 20]])
    ys, xs = np.mgrid[:side, :side]
    pixels = np.full((count, 3, side, side), 255, np.uint8)
    kinds = rng.integers(0, 2, count)
    hues = rng.integers(0, 6, count)
    for index in range(count):
        y, x = rng.integers(side // 3, 2 * side // 3, 2)
        size = int(rng.integers(side // 6, side // 3))
        far = np.hypot(ys - y, xs - x) if kinds[index] else np.maximum(abs(ys - y), abs(xs - x))
        pixels[index][:, far < size] = colours[hues[index]][:, None]
    vectors = rng.standard_normal((16 + 2 * count, 512))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.repeat(np.arange(count), 3)
    languages = np.tile([0, 1, 1], count)
    captions = np.full((len(rows), 9), -1, np.int32)
    own = np.where(rows < count * 3 // 5, hues[rows], 16 + 2 * rows)
    captions[:, 0] = np.where(languages > 0, own + np.where(own < 16, 8, 1), own)
    captions[:, 1] = 6 + kinds[rows]
    captions[languages > 0, 2] = 15
    return MadePictures(
        pixels,
        vectors.astype(np.float16),
        captions,
        rows.astype(np.int32),
        languages.astype(np.uint8),
        [MadeRow(style=("flat", "outline")[index % 2], id=f"made-{index}") for index in range(count)],
    )
