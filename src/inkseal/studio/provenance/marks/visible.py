"""The line that tells a reader that a machine made this, in the language of the content."""

from typing import ClassVar, cast

from inkseal.core.protocols import Rendering, Seal
from inkseal.core.types import Found, Regime
from inkseal.studio.provenance.marks._sealed_file import SealedFileMark
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.regimes import all_wordings, visible_wordings
from inkseal.studio.provenance.sealed_file import SealReading, read_seal

_MARKERS = " \t>*_#【】[]()（）\ufeff"
"""What people and formats put around a label line."""


class Visible(SealedFileMark):
    """Label lines at the start of a file."""

    name: ClassVar[str] = "visible"
    layer: ClassVar[str] = "visible"

    def before(self, rendering: Rendering, seal: Seal) -> Rendering:
        """Adds the label lines of the regime."""
        labels = visible_wordings(cast(Regime, seal.regime), seal.language)
        return rendering.model_copy(update={"visible_labels": (*rendering.visible_labels, *labels)})

    def find_in(self, file: OpenedFile) -> Found | None:
        """Returns the label lines; "changed" when a seal in the file says they were others."""
        reading = read_seal(file, self.signer)
        if reading is None:
            return None
        labels = reading.rendering.visible_labels
        details = {"labels": list(labels), "changed": ["labels"] if "labels" in reading.changed else []}
        if reading.claims is None:
            return self._unsealed(reading)
        state = "changed" if "labels" in reading.changed else "valid"
        if not labels and state == "valid":
            return None
        return Found(mark=self.name, state=state, artifact_id=reading.claims.artifact_id, details=details)

    def _unsealed(self, reading: SealReading) -> Found | None:
        """A file without a readable seal: all that can be said is whether a known label stands there."""
        lines = reading.rendering.content.decode("utf-8", "replace").splitlines()
        found = [label for label in (*reading.rendering.visible_labels, *lines[:3]) if is_label(label)]
        if not found:
            return None
        return Found(mark=self.name, state="present", details={"labels": found, "changed": []})


def is_label(line: str) -> bool:
    """True when a line is one of the labels in use, whatever stands around it."""
    bare = line.strip(_MARKERS)
    return any(bare == wording.strip(_MARKERS) for wording in all_wordings())
