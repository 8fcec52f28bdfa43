"""The label in a file's metadata: China's AIGC field, or a field of our own, with the signed seal inside."""

from typing import Any, ClassVar, cast

from inkseal.core.protocols import Rendering, Seal
from inkseal.core.types import Found, Regime
from inkseal.modalities.text.lenient import compact_json, lenient_json
from inkseal.studio.provenance.marks._sealed_file import SealedFileMark
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.regimes import active, metadata_facts
from inkseal.studio.provenance.sealed_file import fill, placeholder, read_seal
from inkseal.studio.provenance.signer import decode

FIELD = "Seal"
"""Where the seal stands when no regime names a place for it."""

_AIGC_KEYS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)


class Metadata(SealedFileMark):
    """The AIGC field (GB 45438-2025), its ReservedCode1 holding the seal; elsewhere the field `Seal`."""

    name: ClassVar[str] = "metadata"
    layer: ClassVar[str] = "metadata"

    def before(self, rendering: Rendering, seal: Seal) -> Rendering:
        """Puts the field in, with a placeholder of the seal's length."""
        token = placeholder(seal, self.signer)
        if "cn" not in active(cast(Regime, seal.regime)):
            return rendering.model_copy(update={"metadata": {**rendering.metadata, FIELD: token}})
        facts = metadata_facts("cn")
        values = dict.fromkeys(_AIGC_KEYS, "") | {
            "Label": facts["label"],
            "ContentProducer": seal.producer,
            "ProduceID": seal.artifact_id,
            "ReservedCode1": token,
        }
        return rendering.model_copy(update={"metadata": {**rendering.metadata, facts["field"]: compact_json(values)}})

    def after(self, data: bytes, media_type: str, seal: Seal) -> bytes:
        """Replaces the placeholder by the seal over the file as written."""
        return fill(data, media_type, seal, self.signer)

    def find_in(self, file: OpenedFile) -> Found | None:
        """Returns the field: "valid" or "changed" by its seal, "present" when somebody else's label has none."""
        reading = read_seal(file, self.signer)
        if reading is None:
            return None
        aigc = lenient_json(reading.rendering.metadata.get(metadata_facts("cn")["field"], ""))
        details: dict[str, Any] = {"changed": list(reading.changed)}
        if isinstance(aigc, dict):
            details["aigc"] = {key: value for key, value in aigc.items() if key != "ReservedCode1"}
        if not reading.token and not reading.changed:
            return Found(mark=self.name, state="present", details=details) if isinstance(aigc, dict) else None
        if reading.claims is None or reading.issuer is None:
            return Found(mark=self.name, state="changed", details=details)
        details |= {"issuer": reading.issuer.model_dump(), "created_at": reading.claims.created_at}
        return Found(
            mark=self.name,
            state="changed" if reading.changed else "valid",
            artifact_id=reading.claims.artifact_id,
            content_sha256=decode(reading.claims.content).hex(),
            manifest_sha256=decode(reading.claims.manifest).hex(),
            issuer=reading.issuer.kind,
            details=details,
        )
