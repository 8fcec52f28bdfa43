"""A file under examination: read and decoded once, whoever asks what is in it."""

from functools import cached_property
from hashlib import sha256
from typing import Any

from inkseal.core.errors import InvalidRequest
from inkseal.core.protocols import Modality, Rendering, Writer
from inkseal.modalities import modalities


def writer_for(media_type: str) -> Writer | None:
    """Returns the writer of a media type, whichever modality has it."""
    return found[0] if (found := _formats().get(media_type)) else None


def modality_for(media_type: str) -> Modality | None:
    """Returns what files of a media type hold; None when nothing here writes them."""
    return found[1] if (found := _formats().get(media_type)) else None


class OpenedFile:
    """Bytes of a media type, and what its writer reads in them. For one examination: it keeps what it decoded."""

    def __init__(self, data: bytes, media_type: str) -> None:
        self.data = data
        self.media_type = media_type
        self.writer = writer_for(media_type)
        self.modality = modality_for(media_type)

    @property
    def rendering(self) -> Rendering:
        """What is in the file; without content where that is costly to encode.

        Raises:
            InvalidRequest: it cannot be read.
        """
        return self._read()[0]

    @property
    def content(self) -> Any:
        """The content, decoded or as its bytes; the file itself when nothing here writes such files.

        Raises:
            InvalidRequest: it cannot be read.
        """
        return self._read()[1]

    @cached_property
    def shown_sha256(self) -> bytes:
        """The hash of what a person gets to see of the content.

        Raises:
            InvalidRequest: it cannot be read.
        """
        return sha256(self.modality.shown(self.content) if self.modality else self.content).digest()

    def _read(self) -> tuple[Rendering, Any]:
        found = self._found
        if isinstance(found, InvalidRequest):
            raise found
        return found

    @cached_property
    def _found(self) -> tuple[Rendering, Any] | InvalidRequest:
        """An attempt that failed is not made again: what is hostile costs most."""
        if self.writer is None:
            return Rendering(content=self.data, title="", language=""), self.data
        opened = getattr(self.writer, "opened", None)
        try:
            if opened is not None:
                rendering, content = opened(self.data)
                return rendering, content
            rendering = self.writer.read(self.data)
        except InvalidRequest as error:
            return error
        return rendering, rendering.content


def _formats() -> dict[str, tuple[Writer, Modality]]:
    found: dict[str, tuple[Writer, Modality]] = {}
    for kind in modalities.values():
        modality = kind()
        found |= {writer.media_type: (writer(), modality) for writer in modality.writers().values()}
    return found
