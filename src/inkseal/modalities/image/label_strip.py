"""The visible label of a picture: a strip in ink below it, so that it covers nothing and can be told from the picture.

The strip's height depends on the picture's size alone. Its letters are at least 5 % of the shorter side, as
GB 45438-2025 asks, wherever the picture is wide enough for the wording.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

INK = (34, 40, 60)
PAPER = (255, 255, 255)
LETTERS = 0.08
"""Size of the letters, of the shorter side: their capitals are then 5.8 %."""
MIN_FONT_PX = 9
SMALLEST_FONT_PX = 6
_EMS_ON_ONE_LINE = 10.6
"""The longest wording and its margins, in widths of an em."""
_LINE = 1.22
_STILL_THE_LABEL = 0.75
"""Part of the letters' pixels that must still be there for a strip to count as the label that was drawn."""
_NEAR = 96


def strip_height(width: int, height: int) -> int:
    """Returns the height of the strip below a picture of that size, pixels."""
    font_px = _font_px(width, height)
    return _num_lines(width, font_px) * round(font_px * _LINE) + 2 * _padding(font_px)


def draw_strip(labels: Sequence[str], width: int, height: int) -> "Image":
    """Returns the strip of a picture of that size, with the labels in it."""
    from PIL import Image, ImageDraw

    font_px = _font_px(width, height)
    tall = strip_height(width, height)
    strip = Image.new("RGB", (width, tall), INK)
    lines, font = _fitted(" · ".join(labels), width, font_px)
    draw = ImageDraw.Draw(strip)
    step = tall / max(1, len(lines))
    for number, line in enumerate(lines):
        draw.text((width / 2, step * (number + 0.5)), line, fill=PAPER, font=font, anchor="mm")
    return strip


def with_strip(picture: "Image", labels: Sequence[str]) -> "Image":
    """Returns the picture with its strip below."""
    from PIL import Image

    strip = draw_strip(labels, picture.width, picture.height)
    ground = (*INK, 255) if picture.mode == "RGBA" else INK
    whole = Image.new(picture.mode, (picture.width, picture.height + strip.height), ground)
    whole.paste(picture, (0, 0))
    whole.paste(strip, (0, picture.height))
    return whole


def has_strip(whole: "Image", labels: Sequence[str], size: tuple[int, int]) -> bool:
    """True when the strip with these labels still stands below a picture of that size."""
    import numpy as np

    width, height = size
    if whole.size != (width, height + strip_height(width, height)):
        return False
    drawn = np.asarray(draw_strip(labels, width, height).convert("L"), np.int16)
    found = np.asarray(whole.convert("RGB").crop((0, height, *whole.size)).convert("L"), np.int16)
    letters = drawn > 128
    if not letters.any():  # labels of blanks
        return False
    near = np.abs(drawn - found) < _NEAR
    return bool(near[letters].mean() >= _STILL_THE_LABEL and near[~letters].mean() >= _STILL_THE_LABEL)


def strip_top(whole: "Image") -> float | None:
    """Returns where a strip begins below a picture that may have been resized and compressed, pixels from the top.

    None when the lower edge is not in ink, or so much of it is that it can be no strip of ours.
    """
    import numpy as np

    width, height = whole.size
    edge = max(1, round(width * 0.015))
    boxes = ((0, 0, edge, height), (width - edge, 0, width, height))
    edges = [np.asarray(whole.crop(box).convert("RGB"), np.float32) for box in boxes]
    sides = np.concatenate(edges, axis=1).mean(axis=1)
    off = np.abs(sides - np.array(INK, np.float32)).max(axis=1)
    not_ink = np.flatnonzero(off > 28)
    top = int(not_ink[-1]) + 1 if len(not_ink) else 0
    return float(top) if 0.04 * height <= height - top <= 0.5 * height else None


def _font_px(width: int, height: int) -> int:
    return max(MIN_FONT_PX, round(LETTERS * min(width, height)))


def _num_lines(width: int, font_px: int) -> int:
    return 1 if width >= _EMS_ON_ONE_LINE * font_px else 2


def _padding(font_px: int) -> int:
    return max(2, font_px // 4)


def _fitted(text: str, width: int, font_px: int) -> "tuple[list[str], FreeTypeFont]":
    """Returns the lines and the font: as asked for, or smaller until the longest line fits."""
    from PIL import ImageFont

    from inkseal.modalities.text.typefaces import LABELS_ONLY

    lines = [text] if _num_lines(width, font_px) == 1 else _two_lines(text)
    size = font_px
    while True:
        font = ImageFont.truetype(LABELS_ONLY, size, layout_engine=ImageFont.Layout.BASIC)
        if size <= SMALLEST_FONT_PX or max(font.getlength(line) for line in lines) <= width - 2:
            return lines, font
        size -= 1


def _two_lines(text: str) -> list[str]:
    first, _, second = text.partition(" ")
    return [first, second] if second else [first]
