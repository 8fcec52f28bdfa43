"""Pictures: what they are, how they are found again, and how they are written to files with a label."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from inkseal.core.errors import EngineFailed
from inkseal.core.language import say
from inkseal.core.protocols import Writer
from inkseal.core.types import Chunk, Likeness, MediaPart, Origin, Part, Request
from inkseal.modalities.image.request import ImageRequest

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class Image:
    """A picture is a PNG without metadata, as the engine drew it."""

    name: ClassVar[str] = "image"
    request: ClassVar[type[Request]] = ImageRequest
    media_type: ClassVar[str] = "image/png"

    def assemble(self, chunks: Sequence[Chunk]) -> bytes:
        """Returns the picture of one result.

        Raises:
            EngineFailed: the engine made none.
        """
        content = b"".join(chunk.data for chunk in chunks)
        if not content:
            raise EngineFailed(say("The engine made no picture.", "引擎没有生成图片。"))
        return content

    def parts(self, content: bytes) -> tuple[Part, ...]:
        """Returns the picture as one part without words."""
        return (MediaPart(data=content, media_type=self.media_type, origin=Origin.ASSISTANT),)

    def words(self, content: bytes) -> str:
        """Returns nothing: a picture is found by the words it was asked for with, which are not in it."""
        return ""

    def shown(self, content: "bytes | Picture") -> bytes:
        """Returns size and colours of all pixels."""
        from inkseal.modalities.image.reading import pixel_bytes

        return b"".join(pixel_bytes(_decoded(content)))

    def fingerprint(self, content: "bytes | Picture") -> dict[str, bytes]:
        """Returns `pixels`, the hash of all pixels, and `look`, small views that survive compression and resizing."""
        from inkseal.modalities.image.look import fingerprint

        return fingerprint(_decoded(content))

    def bands(self, fingerprints: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
        """Returns the keys by which a look is indexed."""
        from inkseal.modalities.image.look import bands

        return {"look": bands(fingerprints["look"])}

    def keys(self, fingerprints: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
        """Returns the keys that are looked for in the index: those of the look, and of what it may have been."""
        from inkseal.modalities.image.look import keys

        return {"look": keys(fingerprints["look"])}

    def compare(self, mine: Mapping[str, bytes], other: Mapping[str, bytes]) -> Likeness:
        """Returns how two pictures are related, judged by their fingerprints."""
        from inkseal.modalities.image.look import likeness

        return likeness(mine, other)

    def writers(self) -> Mapping[str, type[Writer]]:
        """Returns the file formats, by name."""
        from inkseal.modalities.image.writers import writers

        return writers


def _decoded(content: "bytes | Picture") -> "Picture":
    from inkseal.modalities.image.reading import decode

    return decode(content) if isinstance(content, bytes) else content
