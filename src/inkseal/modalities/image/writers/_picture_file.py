"""What the picture formats have in common: label strip, XMP packet, and the way back."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.protocols import Rendering
from inkseal.modalities.image.label_strip import has_strip, with_strip
from inkseal.modalities.image.reading import MAX_SIDE_PX, decode, open_picture, plain, to_png
from inkseal.modalities.image.xmp import MAX_CHARS, packet, parse
from inkseal.modalities.text.labels import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_LABELS = 8
_MAX_LABEL_CHARS = 200
"""Of all labels together: a strip measures them at one size of letters after the other."""


class PictureFile:
    """Half a writer: a format says how its pixels are encoded."""

    media_type: ClassVar[str]

    def write(self, rendering: Rendering) -> bytes:
        """Returns the picture with its label below and the metadata in an XMP packet; bare when there are neither.

        Raises:
            InvalidRequest: the content is no picture, or what is to stand in the file is too long.
        """
        picture = decode(rendering.content)
        labels = [one_line(label) for label in rendering.visible_labels]
        if not _fit(labels):
            raise InvalidRequest(say("The labels are too long for a picture.", "标识过长，无法写入图片。"))
        if not labels and not rendering.metadata:
            return self._encoded(picture, b"")
        own = {"title": rendering.title, "language": rendering.language, "labels": labels, "size": list(picture.size)}
        written = packet(rendering.metadata, own)
        if len(written) > MAX_CHARS:
            raise InvalidRequest(say("The metadata is too long for a picture.", "元数据过长，无法写入图片。"))
        return self._encoded(with_strip(picture, labels) if labels else picture, written)

    def read(self, data: bytes) -> Rendering:
        """Returns the picture without its label, the labels that still stand there, and the metadata.

        Raises:
            InvalidRequest: the bytes are not of this format, damaged, or too large.
        """
        rendering, picture = self.opened(data)
        return rendering.model_copy(update={"content": to_png(picture)})

    def opened(self, data: bytes) -> "tuple[Rendering, Image]":
        """Returns the same with the picture as it was decoded: writing a PNG takes longer than all else together.

        Raises:
            InvalidRequest: as `read`.
        """
        found = open_picture(data, self.media_type)
        metadata, own = parse(_packet_of(found))
        picture = plain(found)
        size, labels = _size(own.get("size")), _texts(own.get("labels"))
        if not labels or size is None or picture.size == size:
            labels = ()
        elif has_strip(picture, labels, size):
            picture = plain(picture.crop((0, 0, *size)))
        else:
            labels = ()
        rendering = Rendering(
            content=b"",
            title=_text(own.get("title")),
            language=_text(own.get("language")),
            visible_labels=labels,
            metadata=metadata,
        )
        return rendering, picture

    def _encoded(self, picture: "Image", xmp: bytes) -> bytes:
        target = io.BytesIO()
        picture.save(target, **self._options(xmp))
        return target.getvalue()

    def _options(self, xmp: bytes) -> dict[str, Any]:
        """Returns how Pillow saves it."""
        raise NotImplementedError


def _packet_of(found: "Image") -> bytes:
    value = found.info.get("xmp", b"")
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _size(value: Any) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    width, height = value
    return (width, height) if all(isinstance(side, int) and 0 < side <= MAX_SIDE_PX for side in value) else None


def _texts(value: Any) -> tuple[str, ...]:
    """Returns the labels; none when no writer here wrote them."""
    texts = tuple(_text(text) for text in value) if isinstance(value, list) else ()
    return texts if _fit(texts) else ()


def _fit(labels: Sequence[str]) -> bool:
    return len(labels) <= _MAX_LABELS and sum(map(len, labels)) <= _MAX_LABEL_CHARS


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
