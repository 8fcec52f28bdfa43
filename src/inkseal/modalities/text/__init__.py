"""Text and code: what it is, how it is cut into words, found again, and written to files."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.protocols import Writer
from inkseal.core.types import Chunk, Likeness, Origin, Part, Request
from inkseal.modalities.text import shingles
from inkseal.modalities.text.request import TextRequest


class Text:
    """Text is UTF-8 Markdown: what language models write, and plain text is Markdown too."""

    name: ClassVar[str] = "text"
    request: ClassVar[type[Request]] = TextRequest
    media_type: ClassVar[str] = "text/markdown"

    def assemble(self, chunks: Sequence[Chunk]) -> bytes:
        """Returns the text of one result from its chunks, in order; what is no character becomes U+FFFD."""
        return (
            "".join(chunk.text for chunk in chunks)
            .encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
            .encode()
        )

    def parts(self, content: bytes) -> tuple[Part, ...]:
        """Returns the text as one part, as said by the model."""
        return (Part(text=decode(content), origin=Origin.ASSISTANT),)

    def words(self, content: bytes) -> str:
        """Returns the words under which the text is found, separated by spaces."""
        from inkseal.modalities.text.segmentation import segment

        return " ".join(segment(decode(content)))

    def shown(self, content: bytes) -> bytes:
        """Returns the text without white space."""
        return "".join(content.decode("utf-8", "replace").split()).encode()

    def fingerprint(self, content: bytes) -> dict[str, bytes]:
        """Returns `letters`, the hash of the bare letters, and `runs`, the thinned hashes of short runs of words.

        Both are of the text as it is shown, so that a copy out of a page is still the same text.
        """
        from inkseal.modalities.text.blocks import shown

        text = shown(decode(content))
        return {"letters": shingles.exact(text), "runs": shingles.fingerprint(text)}

    def bands(self, fingerprints: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
        """Returns the keys by which a fingerprint is indexed."""
        return {"runs": shingles.anchors(fingerprints["runs"])}

    def keys(self, fingerprints: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
        """Returns the keys that are looked for in the index."""
        return {"runs": shingles.keys(fingerprints["runs"])}

    def compare(self, mine: Mapping[str, bytes], other: Mapping[str, bytes]) -> Likeness:
        """Returns how two texts are related, judged by their fingerprints."""
        return shingles.likeness(mine, other)

    def writers(self) -> Mapping[str, type[Writer]]:
        """Returns the file formats, by name."""
        from inkseal.modalities.text.writers import writers

        return writers


def decode(content: bytes) -> str:
    """Returns the text of a content.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            say(f"The text is not UTF-8 at byte {error.start}.", f"文本在第 {error.start} 字节处不是 UTF-8。")
        ) from None
