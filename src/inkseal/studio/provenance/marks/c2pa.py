"""Content Credentials: a signed C2PA 2.4 manifest inside the file, covering all its bytes.

Formats that c2pa-python cannot sign (plain text, Markdown, HTML) are left alone.
"""

import io
import json
from typing import TYPE_CHECKING, Any, ClassVar

from inkseal.core.errors import TrustError
from inkseal.core.language import say
from inkseal.core.protocols import Rendering, Seal
from inkseal.core.types import Found
from inkseal.studio.provenance.signer import Signer

if TYPE_CHECKING:
    from c2pa import Context

MEDIA_TYPES = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp"})
"""Formats seen to be signed and to show a changed bit; more are added with the modalities that write them."""

_TRACES = (b"/C2PA_Manifest", b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9bq")
"""What names the credentials in a PDF and in a JUMBF box; where they cannot be read, they were damaged."""

_ASSERTION = "org.inkseal.manifest"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_SPEC_VERSION = "2.4.0"


class C2pa:
    """Embedded Content Credentials, signed with this installation's certificate."""

    name: ClassVar[str] = "c2pa"
    layer: ClassVar[str] = "signed"
    regimes: ClassVar[frozenset[str]] = frozenset({"cn", "eu"})

    def __init__(self, **resources: Any) -> None:
        self.signer: Signer = resources["signer"]

    def supports(self, media_type: str) -> bool:
        """True for formats that carry Content Credentials."""
        return media_type in MEDIA_TYPES

    def before(self, rendering: Rendering, seal: Seal) -> Rendering:
        """Changes nothing: this mark goes over the finished file."""
        return rendering

    def after(self, data: bytes, media_type: str, seal: Seal) -> bytes:
        """Signs the finished file.

        Raises:
            TrustError: the library refused.

        Source: C2PA 2.4, sections 10 (claims) and 18.15 (actions).
        """
        from c2pa import Builder, C2paError, C2paSignerInfo
        from c2pa import Signer as C2paSigner

        identity = self.signer.trust.identity()
        info = C2paSignerInfo(b"es256", identity.public_pem(), identity.key_pem(), None)
        target = io.BytesIO()
        try:
            with (
                _context(self.signer.trust.anchors(own_only=True)) as context,
                Builder(json.dumps(_claim(seal, media_type), ensure_ascii=False), context=context) as builder,
                C2paSigner.from_info(info) as signer,
            ):
                builder.sign(signer, media_type, io.BytesIO(data), target)
        except C2paError as error:
            raise TrustError(
                say(f"Content Credentials could not be signed: {error}", f"无法签署内容凭证：{error}")
            ) from error
        return target.getvalue()

    def find(self, data: bytes, media_type: str) -> Found | None:
        """Returns the credentials: "valid" when every hash and the signature fit, else "changed"."""
        if not self.supports(media_type) or b"c2pa" not in data:
            return None
        own = self._read(data, media_type, self.signer.trust.anchors(own_only=True))
        if own is None:
            return _found("Invalid", {}, "") if any(trace in data for trace in _TRACES) else None
        state, store = own
        issuer = "self"
        if state == "Valid":
            known = self._read(data, media_type, self.signer.trust.anchors())
            issuer = "known" if known and known[0] == "Trusted" else "unknown"
        return _found(state, store, issuer)

    def _read(self, data: bytes, media_type: str, anchors: str) -> tuple[str, dict[str, Any]] | None:
        """Returns the validation state against some anchors, and the manifest store."""
        from c2pa import C2paError, Reader

        try:
            with _context(anchors) as context, Reader(media_type, io.BytesIO(data), context=context) as reader:
                return str(reader.get_validation_state()), json.loads(reader.json())
        except C2paError as error:
            if "ManifestNotFound" in f"{type(error).__name__}{error}":
                return None
            return "Invalid", {}


def _context(anchors: str) -> "Context":
    from c2pa import Context

    settings: dict[str, Any] = {
        "builder": {
            "thumbnail": {"enabled": False},
            "created_assertion_labels": ["c2pa.actions", "c2pa.actions.v2"],
        },
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    return Context.from_dict(settings)


def _claim(seal: Seal, media_type: str) -> dict[str, Any]:
    version = str(seal.manifest.get("inkseal_version", ""))
    generator = {"name": "Inkseal", "version": version, "specVersion": _SPEC_VERSION}
    action = {
        "action": "c2pa.created",
        "when": seal.created_at,
        "digitalSourceType": _SOURCE_TYPE,
        "softwareAgent": {"name": seal.model or "Inkseal"},
    }
    facts = {
        "artifact_id": seal.artifact_id,
        "content_sha256": seal.content_sha256,
        "manifest_sha256": seal.manifest_sha256,
        "manifest": seal.manifest,
    }
    return {
        "claim_generator_info": [generator],
        "title": seal.title or seal.artifact_id,
        "format": media_type,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action], "allActionsIncluded": True}},
            {"label": _ASSERTION, "data": facts},
        ],
    }


def _found(state: str, store: dict[str, Any], issuer: str) -> Found:
    """Builds the finding; facts are taken over only from credentials that hold."""
    valid = state in ("Valid", "Trusted")
    failures = [status.get("code", "") for status in store.get("validation_status") or []]
    details: dict[str, Any] = {"changed": [] if valid else ["file"], "failures": failures}
    if not valid:
        return Found(mark=C2pa.name, state="changed", details=details)
    active = store.get("manifests", {}).get(store.get("active_manifest", ""), {})
    signature = active.get("signature_info", {})
    details["issuer"] = {"kind": issuer, "name": signature.get("common_name", ""), "fingerprint": ""}
    details["generator"] = (active.get("claim_generator_info") or [{}])[0]
    facts: dict[str, Any] = next((a["data"] for a in active.get("assertions", []) if a.get("label") == _ASSERTION), {})
    return Found(
        mark=C2pa.name,
        state="valid",
        artifact_id=facts.get("artifact_id"),
        content_sha256=facts.get("content_sha256"),
        manifest_sha256=facts.get("manifest_sha256"),
        issuer=issuer,
        details=details,
    )
