"""Opens picture files that somebody else may have made: PNG, JPEG and WEBP, within fixed limits.

Size and kind are read from the file's head before a decoder sees it. Animations, CMYK and 16-bit pictures are refused.
"""

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 20 << 20
"""Enough for the largest picture that is made here, with its label strip."""
MAX_SIDE_PX = 16384
MAX_BYTES = 64 << 20
STRIP_PIXELS = 1 << 18
MAX_SCANS = 64
"""Of a progressive JPEG: each is a pass over all its pixels."""
MAX_PARTS, PART_BYTES = 1000, 1024
"""Most chunks of a PNG or segments of a JPEG, and bytes for one more; the decoder keeps each in memory."""

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
_DECODERS = {PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP"}
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive; the others are lossless, hierarchical or arithmetic and nobody's here."""


def kind_of(data: bytes) -> str:
    """Returns the media type by the first bytes; empty when it is no picture that is read here."""
    if data.startswith(_PNG_HEAD):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    return WEBP if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def open_picture(data: bytes, media_type: str = "") -> "Image":
    """Returns the picture, decoded whole.

    Args:
        data: the file.
        media_type: what it must be; any of the three when empty.

    Raises:
        InvalidRequest: it is not such a file, is damaged, too large, or of a kind that is not read.
    """
    from PIL import Image, UnidentifiedImageError

    kind = kind_of(data)
    if not kind or (media_type and kind != media_type):
        raise InvalidRequest(say("This is no such picture file.", "这不是该格式的图片文件。"))
    if len(data) > MAX_BYTES:
        raise _too_large()
    try:
        _check_size(*_size(data, kind))
        found = Image.open(io.BytesIO(data), formats=[_DECODERS[kind]])
        _check_size(*found.size)
        _check_kind(found)
        found.load()
    except (OSError, SyntaxError, ValueError, struct.error, IndexError, EOFError, UnidentifiedImageError) as error:
        # A decoder's own words may name objects in memory: they stay here.
        raise InvalidRequest(
            say("The picture is damaged or not whole.", "图片已损坏或不完整。"),
            fix=say("Save it again as PNG, JPEG or WEBP.", "请重新保存为 PNG、JPEG 或 WEBP。"),
        ) from error
    except Image.DecompressionBombError as error:  # the decoder read another size than stands in the head
        raise _too_large() from error
    return found


def decode(data: bytes, media_type: str = "") -> "Image":
    """Returns the picture in mode RGB, or RGBA when some of it is transparent.

    Raises:
        InvalidRequest: as `open_picture`.
    """
    return plain(open_picture(data, media_type))


def plain(picture: "Image") -> "Image":
    """Returns a picture in mode RGB, or RGBA when it has transparent parts; itself when it is one.

    What else its file said is taken from it: Pillow would write comments and colour profiles into the next file.
    """
    found = _plain(picture)
    found.info = {}
    return found


def _plain(picture: "Image") -> "Image":
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        whole = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        lowest = whole.getchannel("A").getextrema()[0]
        return whole if isinstance(lowest, int | float) and lowest < 255 else whole.convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def on_white(picture: "Image") -> "Image":
    """Returns a picture in mode RGB as it is seen on a white page; itself when it is in that mode."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    page = Image.new("RGB", picture.size)
    for top, rows in _strips(picture):
        white = Image.new("RGBA", rows.size, (255, 255, 255, 255))
        page.paste(Image.alpha_composite(white, rows).convert("RGB"), (0, top))
    return page


def pixel_bytes(picture: "Image") -> Iterator[bytes]:
    """Yields size, mode and all pixels in pieces; equal for equal pictures, whatever file they came from."""
    yield f"{picture.width}x{picture.height} {picture.mode} ".encode()
    for _, rows in _strips(picture):
        yield rows.tobytes()


def _strips(picture: "Image") -> "Iterator[tuple[int, Image]]":
    """Yields (top, rows) from top to bottom: a copy of a large picture in another form never stands whole in memory."""
    step = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, step):
        yield top, picture.crop((0, top, picture.width, min(top + step, picture.height)))


def to_png(picture: "Image") -> bytes:
    """Returns a PNG without metadata."""
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=6)
    return target.getvalue()


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise InvalidRequest(say("The picture is empty.", "图片为空。"))
    if width > MAX_SIDE_PX or height > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise _too_large()


def _check_kind(found: "Image") -> None:
    if getattr(found, "n_frames", 1) > 1:
        raise _not_read(say("an animation", "动画"))
    if found.mode in ("CMYK", "YCCK"):
        raise _not_read("CMYK")
    if found.mode.startswith("I") or found.mode == "F":
        raise _not_read(say("of 16 bits a colour", "每通道 16 位"))


def _size(data: bytes, kind: str) -> tuple[int, int]:
    """Returns width and height as the file's head has them."""
    if kind == PNG:
        return _png_size(data)
    return _jpeg_size(data) if kind == JPEG else _webp_size(data)


def _png_size(data: bytes) -> tuple[int, int]:
    heads = 0
    for number, (name, at) in enumerate(_png_chunks(data)):
        heads += name == b"IHDR"
        if heads != 1:
            raise ValueError("the head is not first, or not alone")
        if name == b"acTL" and struct.unpack_from(">I", data, at + 8)[0] > 1:
            raise _not_read(say("an animation", "动画"))
        _check_parts(number, data)
    width, height, depth = struct.unpack_from(">IIB", data, 16)
    if depth == 16:
        raise _not_read(say("of 16 bits a colour", "每通道 16 位"))
    return width, height


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields (name, offset of its length) up to the end."""
    at = len(_PNG_HEAD)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at
        if name == b"IEND":
            return
        at += 12 + length


def _jpeg_size(data: bytes) -> tuple[int, int]:
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise InvalidRequest(say("The picture has too many scans.", "图片的扫描次数过多。"))
    frames = []
    for number, (marker, at) in enumerate(_jpeg_segments(data)):
        if marker in _JPEG_FRAMES:
            frames.append(at)
        _check_parts(number, data)
    (frame,) = frames
    height, width, channels = struct.unpack_from(">HHB", data, frame + 5)
    if channels == 4:
        raise _not_read("CMYK")
    return width, height


def _check_parts(number: int, data: bytes) -> None:
    if number > MAX_PARTS + len(data) // PART_BYTES:
        raise InvalidRequest(say("The picture's file has too many parts.", "图片文件的分段过多。"))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yields (marker, offset of its FF) up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == 0xDA:
            return
        yield marker, at
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 2:
            raise _not_read(say("an animation", "动画"))
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _too_large() -> InvalidRequest:
    return InvalidRequest(
        say(
            f"The picture is too large: at most {MAX_PIXELS >> 20} million pixels, {MAX_SIDE_PX} on a side.",
            f"图片过大：最多 {(MAX_PIXELS >> 20) * 100} 万像素，每边至多 {MAX_SIDE_PX} 像素。",
        ),
        fix=say("Make it smaller.", "请缩小图片。"),
    )


def _not_read(what: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"A picture that is {what} is not read here.", f"此处不读取{what}的图片。"),
        fix=say("Save it as a still RGB picture of 8 bits.", "请保存为 8 位 RGB 静态图片。"),
    )
