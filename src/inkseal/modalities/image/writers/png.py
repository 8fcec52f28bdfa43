"""PNG: every pixel as it was drawn; the XMP packet stands in an iTXt chunk, uncompressed."""

import struct
import zlib
from typing import Any, ClassVar

from inkseal.modalities.image.writers._picture_file import PictureFile

_HEAD_BYTES = 8


class Png(PictureFile):
    """A PNG file."""

    name: ClassVar[str] = "png"
    media_type: ClassVar[str] = "image/png"
    suffix: ClassVar[str] = ".png"

    def mend(self, data: bytes) -> bytes:
        """Returns the file with the check sums of its text chunks made right, after characters were replaced."""
        found, at = bytearray(data), _HEAD_BYTES
        while at + 12 <= len(found):
            (length,) = struct.unpack_from(">I", found, at)
            end = at + 8 + length
            if found[at + 4 : at + 8] == b"iTXt" and end + 4 <= len(found):
                struct.pack_into(">I", found, end, zlib.crc32(found[at + 4 : end]))
            at = end + 4
        return bytes(found)

    def _options(self, xmp: bytes) -> dict[str, Any]:
        from PIL.PngImagePlugin import PngInfo

        options: dict[str, Any] = {"format": "PNG", "compress_level": 6}
        if xmp:
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=False)
        return options
