"""Pixels as a PNG file and nothing else: no metadata, equal pixels give equal bytes."""

import io

import numpy as np
import numpy.typing as npt


def png_bytes(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Returns [H, W, 3] uint8 as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
