"""The seal inside a file's metadata: signed hashes of everything the file shows, in about 1 kB of plain characters.

    IS1.<claims>.<signature>.<certificate>        each part base64url

Claims are canonical JSON. With it another installation can verify a file offline, without our records.
"""

import json
import re
from datetime import datetime
from hashlib import sha256

from inkseal.core.errors import InksealError, InvalidRequest, TrustError
from inkseal.core.language import say
from inkseal.core.protocols import Rendering, Seal
from inkseal.core.types import Closed
from inkseal.modalities.text.lenient import lenient_json
from inkseal.studio.provenance.canonical import canonical_json
from inkseal.studio.provenance.opened_file import OpenedFile
from inkseal.studio.provenance.signer import Issuer, Signature, Signer, decode, encode

_TOKEN = re.compile(rb"IS1\.[A-Za-z0-9_-]{100,2000}\.[A-Za-z0-9_-]{86}\.[A-Za-z0-9_-]{100,4000}")
_EMPTY = encode(bytes(32))
_REARRANGED = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp"})
"""Formats that a C2PA signature is put into; that signature covers all their bytes then."""


class Claims(Closed):
    """What the seal vouches for. Hashes are SHA-256, base64url.

    Attributes:
        content: of the artifact as it was made.
        manifest: of its manifest's canonical bytes.
        text: of what the file shows: words without white space, or all pixels.
        labels: of the visible label lines.
        fields: of the metadata beside the seal.
        file: of all bytes of the file without the seal; zeros where a later signature is put in (PDF, pictures).
    """

    version: int = 1
    artifact_id: str
    created_at: str
    regime: str
    content: str
    manifest: str
    text: str = _EMPTY
    labels: str = _EMPTY
    fields: str = _EMPTY
    file: str = _EMPTY

    def token(self, signature: Signature) -> str:
        return ".".join(("IS1", encode(self.signed_bytes()), signature.value, signature.certificate))

    def signed_bytes(self) -> bytes:
        return canonical_json(list(self.model_dump().values()))


class SealReading(Closed):
    """A file with what its seal says.

    Attributes:
        changed: what is not as it was sealed: seal, text, labels, metadata, layout, encoding.
    """

    rendering: Rendering
    token: str = ""
    claims: Claims | None = None
    issuer: Issuer | None = None
    changed: tuple[str, ...] = ()


def placeholder(seal: Seal, signer: Signer) -> str:
    """Returns a token of the final length, to be written before the hashes are known."""
    certificate = signer.sign(b"").certificate
    return _claims(seal).token(Signature(value=encode(bytes(64)), certificate=certificate))


def fill(data: bytes, media_type: str, seal: Seal, signer: Signer) -> bytes:
    """Returns the file with its placeholder replaced by the signed seal.

    Raises:
        TrustError: the file does not hold the placeholder exactly once.
    """
    old = placeholder(seal, signer).encode()
    file = OpenedFile(data, media_type)
    if data.count(old) != 1 or file.writer is None:
        raise TrustError(say("The seal has no place in the file.", "文件中没有封印的位置。"))
    rendering = file.rendering
    claims = _claims(seal).model_copy(
        update={
            "text": encode(file.shown_sha256),
            "labels": _labels_hash(rendering),
            "fields": _fields_hash(rendering, old.decode()),
            "file": _EMPTY if media_type in _REARRANGED else _file_hash(data, old),
        }
    )
    sealed = data.replace(old, claims.token(signer.sign(claims.signed_bytes())).encode())
    mend = getattr(file.writer, "mend", None)
    return mend(sealed) if mend else sealed


def read_seal(file: OpenedFile, signer: Signer) -> SealReading | None:
    """Compares a file with its seal; None when the bytes are not of its type."""
    data = file.data
    if file.writer is None:
        return None
    try:
        rendering = file.rendering
    except InvalidRequest:
        # A seal in what cannot be read any more is still a finding.
        broken = Rendering(content=b"", title="", language="")
        return SealReading(rendering=broken, changed=("encoding",)) if _TOKEN.search(data) else None
    token = _find_token(data, rendering)
    if not token:
        damaged = any(map(_was_a_seal, _values(rendering)))
        return SealReading(rendering=rendering, changed=("seal",) if damaged else ())
    try:
        claims, signature = _parse(token)
        issuer = signer.check(claims.signed_bytes(), signature, datetime.fromisoformat(claims.created_at))
    except (InksealError, ValueError):
        return SealReading(rendering=rendering, token=token, changed=("seal",))
    parts = {
        "text": claims.text == encode(file.shown_sha256),
        "labels": claims.labels == _labels_hash(rendering),
        "metadata": claims.fields == _fields_hash(rendering, token),
    }
    changed = [name for name, same in parts.items() if not same]
    if not changed and claims.file not in (_EMPTY, _file_hash(data, token.encode())):
        changed = ["layout"]
    return SealReading(rendering=rendering, token=token, claims=claims, issuer=issuer, changed=tuple(changed))


def _claims(seal: Seal) -> Claims:
    return Claims(
        artifact_id=seal.artifact_id,
        created_at=seal.created_at,
        regime=seal.regime,
        content=encode(bytes.fromhex(seal.content_sha256)),
        manifest=encode(bytes.fromhex(seal.manifest_sha256)),
    )


def _parse(token: str) -> tuple[Claims, Signature]:
    """Splits a token.

    Raises:
        TrustError, ValueError: it is damaged.
    """
    _, body, value, certificate = token.split(".")
    values = json.loads(decode(body))
    if not isinstance(values, list) or len(values) != len(Claims.model_fields):
        raise ValueError("not our claims")
    claims = Claims(**dict(zip(Claims.model_fields, values, strict=True)))
    if claims.version != 1 or claims.signed_bytes() != decode(body):
        raise ValueError("not our version")
    return claims, Signature(value=value, certificate=certificate)


def _find_token(data: bytes, rendering: Rendering) -> str:
    """Returns the seal in the metadata; failing that, the only one anywhere in the file.

    Metadata comes first because a text may quote another file's seal.
    """
    for value in rendering.metadata.values():
        for match in _TOKEN.finditer(value.encode()):
            return match[0].decode()
    everywhere = {match[0].decode() for match in _TOKEN.finditer(data)}
    return everywhere.pop() if len(everywhere) == 1 else ""


def _values(rendering: Rendering) -> list[str]:
    """Returns the metadata values, and those inside a value that is a JSON object."""
    values = list(rendering.metadata.values())
    for value in rendering.metadata.values():
        inner = lenient_json(value) if value.startswith("{") else None
        values += [v for v in inner.values() if isinstance(v, str)] if isinstance(inner, dict) else []
    return values


def _was_a_seal(value: str) -> bool:
    """True for what can only be a seal of ours with a damaged character or two."""
    return len(value) > 300 and value.count(".") in (2, 3, 4) and not value.startswith("{") and " " not in value


def _hash(data: bytes) -> str:
    return encode(sha256(data).digest())


def _labels_hash(rendering: Rendering) -> str:
    return _hash(canonical_json([" ".join(label.split()) for label in rendering.visible_labels]))


def _fields_hash(rendering: Rendering, token: str) -> str:
    fields = {name: value.replace(token, "") for name, value in rendering.metadata.items()}
    return _hash(canonical_json([fields, rendering.title, rendering.language]))


def _file_hash(data: bytes, token: bytes) -> str:
    return _hash(data.replace(token, b"", 1))
