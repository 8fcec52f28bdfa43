"""Finds a picture again after compression, resizing and a change of format: small views, compared cell by cell.

Knows nothing of crops, mirror images or painting over. Two drawings of one thing may look alike: what is called a copy
must agree in every part of the view, and the rate of false claims is published.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from inkseal.core.types import Likeness
from inkseal.modalities.image.label_strip import strip_top
from inkseal.modalities.image.reading import on_white, pixel_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

LUMA_CELLS, CHROMA_CELLS = 32, 16
_HEAD_BYTES = 2
LOOK_BYTES = _HEAD_BYTES + LUMA_CELLS**2 + 2 * CHROMA_CELLS**2
COPY_MEAN, COPY_WORST = 6.0, 12.0
"""Levels of 255, over the whole view and in its worst sixteenth, up to which a picture is called a copy."""
SIMILAR_MEAN = 16.0
ASPECT_STEPS = 1000
SAME_ASPECT = 30
"""In thousandths of the logarithm of width by height: resizing to whole pixels changes it a little."""

BAND_BITS, EVEN_BANDS, ODD_BANDS = 14, 5, 3
WEAK_BITS = 5
"""Of a band, those that compression may turn: the index is asked for both values."""


def fingerprint(picture: "Image") -> dict[str, bytes]:
    """Returns `pixels`, a hash of all of them, and `look`.

    A look is one view; where a label strip of ours stands below, views of the picture above it follow.
    """
    seen = on_white(picture)
    views = [_view(seen, float(seen.height))]
    top = strip_top(seen)
    if top is not None:
        # Where it was resized, the edge fell between two rows.
        views += [_view(seen, top + shift) for shift in (0.0, -0.5, -1.0) if top + shift >= 1]
    pixels = hashlib.sha256()
    for piece in pixel_bytes(picture):
        pixels.update(piece)
    return {"pixels": pixels.digest(), "look": b"".join(views)}


def bands(look: bytes) -> tuple[bytes, ...]:
    """Returns the keys of the first view."""
    return tuple(_key(number, _number(values > 0)) for number, values in enumerate(_band_values(look[:LOOK_BYTES])))


def keys(look: bytes) -> tuple[bytes, ...]:
    """Returns the keys of all views, each with its weak bits both ways."""
    found: dict[bytes, None] = {}
    for start in range(0, len(look), LOOK_BYTES):
        for number, values in enumerate(_band_values(look[start : start + LOOK_BYTES])):
            bits = _number(values > 0)
            weak = [1 << int(place) for place in np.argsort(np.abs(values))[:WEAK_BITS]]
            for choice in range(1 << len(weak)):
                turned = sum(bit for place, bit in enumerate(weak) if choice >> place & 1)
                found[_key(number, bits ^ turned)] = None
    return tuple(found)


def likeness(mine: Mapping[str, bytes], other: Mapping[str, bytes]) -> Likeness:
    """Returns how two pictures are related; `shared` is how near their views are.

    "copy": the same picture compressed, resized or saved in another format; no fine detail was compared.
    """
    if mine.get("pixels") and mine.get("pixels") == other.get("pixels"):
        return Likeness(relation="exact", shared=1.0, num_shared=0)
    mean, worst = distance(mine.get("look", b""), other.get("look", b""))
    shared = round(max(0.0, 1 - mean / 64), 4)
    if mean <= COPY_MEAN and worst <= COPY_WORST:
        return Likeness(relation="copy", shared=shared, num_shared=0)
    return Likeness(relation="similar" if mean <= SIMILAR_MEAN else "different", shared=shared, num_shared=0)


def distance(mine: bytes, other: bytes) -> tuple[float, float]:
    """Returns how far the nearest of my views is from the first view of another: whole, and its worst sixteenth."""
    if len(mine) < LOOK_BYTES or len(other) < LOOK_BYTES:
        return 255.0, 255.0
    target = _planes(other[:LOOK_BYTES])
    best = (255.0, 255.0)
    for start in range(0, len(mine) - LOOK_BYTES + 1, LOOK_BYTES):
        view = mine[start : start + LOOK_BYTES]
        if abs(_aspect(view) - _aspect(other)) <= SAME_ASPECT:
            best = min(best, _apart(_planes(view), target))
    return best


def _view(picture: "Image", height: float) -> bytes:
    """Returns one view of a picture's upper part: its aspect, then means of brightness and of two colours in cells."""
    from PIL import Image, ImageFilter

    blur = ImageFilter.Kernel((3, 3), (1, 2, 1, 2, 4, 2, 1, 2, 1))
    box = (0.0, 0.0, float(picture.width), height)
    fine = (2 * LUMA_CELLS, 2 * LUMA_CELLS)
    whole = picture.resize(fine, Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    # A little blur: how sharp an edge is depends on who resized it, and says nothing of what is drawn.
    cells = whole.reduce(2).filter(blur).convert("YCbCr")
    luma, *colours = cells.split()
    aspect = round(ASPECT_STEPS * float(np.log(picture.width / height))) + (1 << 15)
    small = [plane.reduce(LUMA_CELLS // CHROMA_CELLS).tobytes() for plane in colours]
    return max(0, min(aspect, 0xFFFF)).to_bytes(2) + luma.tobytes() + b"".join(small)


def _aspect(view: bytes) -> int:
    return int.from_bytes(view[:_HEAD_BYTES])


def _planes(view: bytes) -> "list[NDArray[np.float32]]":
    values = np.frombuffer(view, np.uint8, offset=_HEAD_BYTES).astype(np.float32)
    luma, colours = values[: LUMA_CELLS**2], values[LUMA_CELLS**2 :]
    return [
        luma.reshape(LUMA_CELLS, LUMA_CELLS),
        *colours.reshape(2, CHROMA_CELLS, CHROMA_CELLS),
    ]


def _apart(mine: "list[NDArray[np.float32]]", other: "list[NDArray[np.float32]]") -> tuple[float, float]:
    squares = [np.square(a - b) for a, b in zip(mine, other, strict=True)]
    mean = float(np.sqrt(np.mean(np.concatenate([plane.ravel() for plane in squares]))))
    worst = max(float(_in_sixteenths(plane).max()) for plane in squares)
    return mean, worst**0.5


def _in_sixteenths(plane: "NDArray[np.float32]") -> "NDArray[np.float32]":
    side = plane.shape[0] // 4
    return np.asarray(plane.reshape(4, side, 4, side).mean(axis=(1, 3)), np.float32)


def _band_values(view: bytes) -> "NDArray[np.float32]":
    """Returns cosine coefficients of the brightness in bands [EVEN_BANDS + ODD_BANDS, BAND_BITS].

    Many drawings are symmetric left to right: their odd coefficients are noise, and have bands of their own.
    """
    waves = _waves()
    coefficients = waves @ _planes(view)[0] @ waves.T
    return np.asarray(coefficients[_places()].reshape(-1, BAND_BITS), np.float32)


@cache
def _waves() -> "NDArray[np.float32]":
    """Returns the first rows [16, LUMA_CELLS] of the discrete cosine transform (DCT-II)."""
    row, place = np.arange(16)[:, None], np.arange(LUMA_CELLS)[None]
    return np.cos(np.pi * row * (2 * place + 1) / (2 * LUMA_CELLS)).astype(np.float32)


@cache
def _places() -> Any:
    """Returns which coefficients (vertical, horizontal) are taken, the lowest first in each band's kind."""
    low = sorted(((v, u) for v in range(16) for u in range(16) if v + u), key=lambda place: (sum(place), place))
    even = [place for place in low if place[1] % 2 == 0][: EVEN_BANDS * BAND_BITS]
    odd = [place for place in low if place[1] % 2 == 1][: ODD_BANDS * BAND_BITS]
    return tuple(np.array(axis) for axis in zip(*even, *odd, strict=True))


def _number(bits: Any) -> int:
    return int(sum(1 << place for place, bit in enumerate(bits) if bit))


def _key(band: int, number: int) -> bytes:
    return bytes([band]) + number.to_bytes(2)
