"""Small pictures for tests, and files that attack whoever opens them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo


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
    return saved(picture(number, side_px), kind, **options)


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
    """Returns an APNG of so many frames, each of one byte more than nothing."""
    pixels, number = zlib.compress(bytes(4)), 0
    parts = [png_head(1, 1), chunk(b"acTL", struct.pack(">II", num_frames, 0))]
    for frame in range(num_frames):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 100, 0, 0)))
        number += 1
        if frame == 0:
            parts.append(chunk(b"IDAT", pixels))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + pixels))
            number += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def webp_animation(num_frames: int) -> bytes:
    """Returns an animated WEBP of so many frames."""
    still = saved(Image.new("RGB", (1, 1)), "WEBP", lossless=True)
    head = b"\x02\0\0\0" + bytes(6)  # animated, one pixel
    frame = bytes(12) + b"\x0a\0\0\0" + still[12:]
    body = _riff(b"VP8X", head) + _riff(b"ANIM", bytes(6)) + _riff(b"ANMF", frame) * num_frames
    return _riff(b"RIFF", b"WEBP" + body)


def saved(found: Image.Image, kind: str, **options: Any) -> bytes:
    """Returns a picture as a file."""
    target = io.BytesIO()
    found.save(target, kind, **options)
    return target.getvalue()


def hostile_pictures() -> dict[str, bytes]:
    """Returns files that nobody should decode, by what is wrong with them."""
    no_pixels = chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    return {
        "50000x50000": bomb(50_000, 50_000),
        "one side too long": bomb(1, 65_535),
        "0x0": png_head(0, 0) + no_pixels,
        "truncated": picture_file(side_px=200)[:-400],
        "truncated JPEG": picture_file(kind="JPEG", side_px=200)[:900],
        "truncated WEBP": picture_file(kind="WEBP", side_px=200)[:300],
        "only a head": png_head(8, 8),
        "CMYK": saved(picture(mode="CMYK"), "JPEG"),
        "16 bits": png_head(8, 8, depth=16) + no_pixels,
        "16 bits of grey": saved(Image.new("I;16", (8, 8)), "PNG"),
        "animated": animation(10_000),
        "animated WEBP": webp_animation(10_000),
        "text bomb": text_bomb(b"zTXt"),
        "colour profile bomb": text_bomb(b"iCCP"),
        "many scans": _many_scans(),
        "many segments": b"\xff\xd8" + b"\xff\xe5\0\2" * 400_000 + picture_file(kind="JPEG")[2:],
        "many chunks": picture_file()[:33] + chunk(b"abCd", b"") * 400_000 + picture_file()[33:],
        "many chunks of pixels": picture_file()[:33] + chunk(b"IDAT", b"") * 400_000 + picture_file()[33:],
        "two heads": png_head(8, 8) + png_head(50_000, 50_000)[8:] + no_pixels,
        "a head that is not first": png_head(8, 8)[:8] + chunk(b"abCd", bytes(13)) + png_head(50_000, 50_000)[8:],
        "two frames": _two_frames(),
    }


SCRIPT = b"<script>alert(1)</script>"
PAGE = b"<html><body>" + SCRIPT + b"</body></html>"


def polyglots() -> dict[str, bytes]:
    """Returns whole pictures in whose files a page with a script stands, by the place where it stands."""
    told, description = PngInfo(), Image.Exif()
    told.add_text("comment", PAGE.decode())
    told.add_itxt("XML:com.adobe.xmp", PAGE.decode())
    description[0x010E] = PAGE.decode()
    found = picture()
    files = {
        "PNG, after its end": saved(found, "PNG") + PAGE,
        "PNG, texts": saved(found, "PNG", pnginfo=told),
        "PNG, EXIF": saved(found, "PNG", exif=description),
        "PNG, chunk of its own": picture_file()[:33] + chunk(b"htMl", PAGE) + picture_file()[33:],
        "JPEG, after its end": saved(found, "JPEG") + PAGE,
        "JPEG, comment": saved(found, "JPEG", comment=PAGE),
        "JPEG, EXIF": saved(found, "JPEG", exif=description),
        "JPEG, colour profile": saved(found, "JPEG", icc_profile=PAGE * 4),
        "WEBP, colour profile": saved(found, "WEBP", icc_profile=PAGE * 4),
    }
    assert all(SCRIPT in data for data in files.values())
    return files | {"PNG, colour profile": saved(found, "PNG", icc_profile=PAGE * 4)}  # this one is packed


def _many_scans() -> bytes:
    whole = picture_file(kind="JPEG", progressive=True)
    start = whole.index(b"\xff\xda")
    return whole[:start] + whole[start:-2] * 80 + whole[-2:]


def _two_frames() -> bytes:
    whole = picture_file(kind="JPEG")
    start = whole.index(b"\xff\xc0")
    frame = whole[start : whole.index(b"\xff", start + 2)]
    large = frame[:5] + b"\xfd\xe8\xfd\xe8" + frame[9:]
    return whole[: start + len(frame)] + large + whole[start + len(frame) :]


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
