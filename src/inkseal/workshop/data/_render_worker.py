"""Draws harmless SVG in a process of its own, which may be killed at any time."""

import base64
import io
from collections.abc import Callable
from typing import Any

from inkseal.formats.child import limit_memory, serve

MEMORY_BYTES = 2 << 30
SIZE_PX = 64
DRAWN_PX = 128
"""A side of this before it is brought down; the renderer smooths edges itself, so that more would only cost time."""
_PROBE_PX = 96
_LARGEST_PX = 1024
_MARGIN = 0.04
_LEAST_SHARE = 0.04
"""A drawing that fills less of its page's longer side than this is noise once it is cropped."""


def _start(first: Any) -> tuple[Any, Callable[[Any], Any]]:
    import numpy as np  # imported before the cap, which counts address space
    import resvg_py
    from PIL import Image

    limit_memory(MEMORY_BYTES)

    def draw(svg: str, wide: bool, size_px: int) -> Any:
        width, height = (size_px, None) if wide else (None, size_px)
        data = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, width=width, height=height)
        picture: Image.Image = Image.open(io.BytesIO(data))
        if picture.width * picture.height > 2 * _LARGEST_PX**2:
            raise ValueError("size")
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")

    def answer(question: dict[str, Any]) -> dict[str, str]:
        try:
            picture = (cropped if question["crop"] else whole)(question["svg"], question["wide"])
            return {"pixels": base64.b64encode(squared(picture, bordered=question["crop"]).tobytes()).decode()}
        except (ValueError, OSError, MemoryError, SyntaxError) as error:
            return {"refused": str(error) if str(error) in ("blank", "speck") else "not_drawn"}

    def whole(svg: str, wide: bool) -> Any:
        return draw(svg, wide, DRAWN_PX)

    def cropped(svg: str, wide: bool) -> Any:
        """Draws the page small to see where the ink is, then so large that the ink has its pixels."""
        small = draw(svg, wide, _PROBE_PX)
        box = ink_box(small)
        share = max(box[2] - box[0], box[3] - box[1]) / max(small.size)
        if share < _LEAST_SHARE:
            raise ValueError("speck")
        large = draw(svg, wide, min(_LARGEST_PX, round(DRAWN_PX / share)))
        return large.crop(ink_box(large))

    def ink_box(picture: Any) -> tuple[int, int, int, int]:
        ink = np.asarray(picture, dtype=np.int16).min(axis=2) < 250
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if not len(rows):
            raise ValueError("blank")
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def squared(picture: Any, bordered: bool) -> Any:
        """Centres the picture on a white square and brings it down by a windowed sinc, free of aliases."""
        side = max(picture.size)
        margin = round(side * _MARGIN) if bordered else 0
        square = Image.new("RGB", (side + 2 * margin,) * 2, "white")
        square.paste(picture, (margin + (side - picture.width) // 2, margin + (side - picture.height) // 2))
        small = square.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
        return np.asarray(small, dtype=np.uint8).transpose(2, 0, 1)

    return {"ready": True}, answer


if __name__ == "__main__":
    serve(_start)
