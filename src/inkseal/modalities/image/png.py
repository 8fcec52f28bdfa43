"""Pixels as a PNG file and nothing else: no metadata, equal pixels give equal bytes."""

import numpy as np
import numpy.typing as npt

from inkseal.modalities.image.reading import to_png


def png_bytes(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Returns [H, W, 3] uint8 as a PNG file."""
    from PIL import Image

    return to_png(Image.fromarray(pixels))
