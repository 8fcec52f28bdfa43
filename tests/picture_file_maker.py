"""Small pictures for tests, and files that attack whoever opens them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw


def picture(number: int = 1, side_px: int = 96, mode: str = "RGB") -> Image.Image:
    """Returns a drawing with round and straight edges; another number, another drawing."""
    found = Image.new("RGB", (side_px, side_px), (40 + 37 * number % 200, 190 - 29 * number % 150, 90))
    pen, step = ImageDraw.Draw(found), side_px // 6
    for place in range(5):
        x, y = (place * 53 * (number + 1)) % (side_px - step), (place * 31 * (number + 2)) % (side_px - step)
        colour = (place * 60 % 256, (number * 90 + place * 25) % 256, 255 - place * 40)
        shape = pen.ellipse if (place + number) % 2 else pen.rectangle
        shape((x, y, x + 2 * step, y + 2 * step), fill=colour)
    return found.convert(mode)


def picture_file(number: int = 1, kind: str = "PNG", side_px: int = 96, **options: Any) -> bytes:
    """Returns such a drawing as a file."""
    target = io.BytesIO()
    picture(number, side_px).save(target, kind, **options)
    return target.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Returns one chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_head(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """Returns signature and header of a PNG."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def bomb(width: int, height: int) -> bytes:
    """Returns a small PNG that says it has so many pixels, and has many of them."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 << 20)) for _ in range(min(64, width * height * 3 >> 20) or 1)) + rows.flush()
    return png_head(width, height) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb(name: bytes = b"zTXt", megabytes: int = 200) -> bytes:
    """Returns a picture of one pixel with a text or a colour profile that unpacks to very much."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    pixel = chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")
    return png_head(1, 1) + chunk(name, b"bomb\x00\x00" + packed) + pixel


def animation(num_frames: int) -> bytes:
    """Returns an APNG of so many frames."""
    frames = [Image.new("RGB", (8, 8), (number % 256, number // 256, 0)) for number in range(num_frames)]
    target = io.BytesIO()
    frames[0].save(target, "PNG", save_all=True, append_images=frames[1:], duration=10)
    return target.getvalue()
