"""The fake's pictures: discs of colour on a ground, the same for the same prompt, seed and size. No model."""

import hashlib
from collections.abc import Generator
from typing import TYPE_CHECKING

from inkseal.core.errors import Unsupported
from inkseal.core.language import say
from inkseal.core.protocols import Cancel
from inkseal.core.types import Chunk, Usage
from inkseal.modalities.image.request import ImageRequest

if TYPE_CHECKING:
    from numpy.random import Generator as RandomGenerator

SIDE_PX = 64
MAX_SIDE_PX = 1024
NUM_DISCS = 12
STEPS = 4
_UNITS_A_COLOUR = 256


def draw(request: ImageRequest, num_prompt_tokens: int, cancel: Cancel) -> Generator[Chunk, None, Usage]:
    """Yields for each result how far it is, then the picture.

    Raises:
        Unsupported: a style, a solver, a watermark or a size is asked for that the fake does not have.
    """
    width, height = request.width_px or SIDE_PX, request.height_px or SIDE_PX
    if request.style or request.solver or request.candidates > 1 or request.watermark not in ("auto", "none"):
        raise Unsupported(
            say(
                "The fake has no styles, solvers, candidates or watermarks.", "测试替身没有风格、求解器、候选图和水印。"
            )
        )
    if min(width, height) < 8 or max(width, height) > MAX_SIDE_PX:
        raise Unsupported(
            say(
                f"The fake draws 8 to {MAX_SIDE_PX} pixels a side.", f"测试替身只画每边 8 到 {MAX_SIDE_PX} 像素的图片。"
            )
        )
    for index in range(request.n):
        steps = request.steps or STEPS
        for step in range(steps):
            if cancel.is_set():
                yield Chunk(index=index, finish_reason="cancelled")
                break
            yield Chunk(index=index, progress=(step + 1) / steps)
        else:
            yield Chunk(index=index, data=_picture(request, index, width, height), finish_reason="stop")
    return Usage(prompt_tokens=num_prompt_tokens, completion_tokens=0)


def _picture(request: ImageRequest, index: int, width: int, height: int) -> bytes:
    from PIL import Image, ImageDraw

    from inkseal.modalities.image.reading import to_png

    digest = hashlib.sha256(f"{request.prompt}|{request.seed}|{index}".encode()).digest()
    rng = _rng(digest)
    picture = Image.new("RGB", (width, height), _colour(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(NUM_DISCS):
        x, y, radius = rng.random() * width, rng.random() * height, (0.05 + 0.2 * rng.random()) * min(width, height)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(rng))
    return to_png(picture)


def _rng(digest: bytes) -> "RandomGenerator":
    import numpy as np

    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def _colour(rng: "RandomGenerator") -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, _UNITS_A_COLOUR, 3))
    return red, green, blue
