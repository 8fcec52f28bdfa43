"""JPEG: small and read everywhere; pixels change a little, and what is transparent becomes white."""

from typing import TYPE_CHECKING, Any, ClassVar

from inkseal.modalities.image.reading import on_white
from inkseal.modalities.image.writers._picture_file import PictureFile

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 95


class Jpeg(PictureFile):
    """A JPEG file."""

    name: ClassVar[str] = "jpeg"
    media_type: ClassVar[str] = "image/jpeg"
    suffix: ClassVar[str] = ".jpg"

    def _encoded(self, picture: "Image", xmp: bytes) -> bytes:
        return super()._encoded(on_white(picture), xmp)

    def _options(self, xmp: bytes) -> dict[str, Any]:
        # Full colour resolution: letters on ink would bleed otherwise.
        options: dict[str, Any] = {"format": "JPEG", "quality": QUALITY, "subsampling": 0, "optimize": True}
        return options | ({"xmp": xmp} if xmp else {})
