"""WEBP without loss: every pixel as it was drawn, smaller than PNG."""

from typing import Any, ClassVar

from inkseal.modalities.image.writers._picture_file import PictureFile


class Webp(PictureFile):
    """A WEBP file."""

    name: ClassVar[str] = "webp"
    media_type: ClassVar[str] = "image/webp"
    suffix: ClassVar[str] = ".webp"

    def _options(self, xmp: bytes) -> dict[str, Any]:
        options: dict[str, Any] = {"format": "WEBP", "lossless": True, "exact": True, "quality": 80, "method": 4}
        return options | ({"xmp": xmp} if xmp else {})
