"""What the marks have in common that a format's own writer puts into the file."""

from typing import Any, ClassVar

from inkseal.core.protocols import Rendering, Seal
from inkseal.core.types import Found
from inkseal.studio.provenance.opened_file import OpenedFile, writer_for
from inkseal.studio.provenance.signer import Signer


class SealedFileMark:
    """Half a mark: each of `before` and `after` changes nothing until a mark says otherwise."""

    regimes: ClassVar[frozenset[str]] = frozenset({"cn", "eu"})

    def __init__(self, **resources: Any) -> None:
        self.signer: Signer = resources["signer"]

    def supports(self, media_type: str) -> bool:
        """True for every format with a writer."""
        return writer_for(media_type) is not None

    def before(self, rendering: Rendering, seal: Seal) -> Rendering:
        """Changes nothing: this mark goes over the finished file."""
        return rendering

    def after(self, data: bytes, media_type: str, seal: Seal) -> bytes:
        """Changes nothing: the writer has shown this mark."""
        return data

    def find(self, data: bytes, media_type: str) -> Found | None:
        """Returns the mark if the file carries it."""
        return self.find_in(OpenedFile(data, media_type))

    def find_in(self, file: OpenedFile) -> Found | None:
        """Returns the mark if the file carries it."""
        raise NotImplementedError
