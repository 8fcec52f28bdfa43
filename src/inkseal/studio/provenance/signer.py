"""Signs bytes with this installation's key, and says whose key signed something (ES256: ECDSA, P-256, SHA-256)."""

import base64
import binascii
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from inkseal.core.errors import TrustError
from inkseal.core.language import say
from inkseal.core.types import Closed

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from inkseal.studio.provenance.trust import Trust

_WIDTH = 32
"""Bytes of r and of s on the curve P-256."""


class Signature(Closed):
    """A signature that carries the certificate to check it by.

    Attributes:
        value: r and s, 64 bytes, as in JSON Web Signatures (RFC 7518, section 3.4), base64url.
        certificate: the signing certificate (DER, base64url); its issuer is looked up among those trusted here.
    """

    algorithm: Literal["ES256"] = "ES256"
    value: str
    certificate: str


class Issuer(Closed):
    """Whose key made a signature.

    Attributes:
        kind: "self" is this installation, "known" an imported one; "unknown" says only that the signature is whole.
        name: the issuer's name; of an unknown issuer merely what the certificate claims.
        fingerprint: SHA-256 of the issuer's certificate; empty when unknown.
    """

    kind: Literal["self", "known", "unknown"]
    name: str
    fingerprint: str = ""


def encode(data: bytes) -> str:
    """Returns base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Reads base64url without padding.

    Raises:
        TrustError: it is not base64url, or not its one canonical spelling.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or encode(data) != text:
        raise TrustError(say("A signature is not base64url.", "签名不是有效的 base64url。"))
    return data


def fingerprint(certificate: "Certificate") -> str:
    """Returns the SHA-256 of a certificate in hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def common_name(certificate: "Certificate", *, of_issuer: bool = False) -> str:
    """Returns the common name in a certificate, printable and at most 64 characters."""
    from cryptography.x509.oid import NameOID

    names = (certificate.issuer if of_issuer else certificate.subject).get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(names[0].value) if names else ""
    return "".join(c for c in text if c.isprintable())[:64]


class Signer:
    """Signs for this installation, and checks signatures against the issuers it trusts."""

    def __init__(self, trust: "Trust") -> None:
        self.trust = trust
        self._leaves: dict[str, tuple[Certificate, Issuer]] = {}
        self._revision = trust.revision

    def sign(self, data: bytes) -> Signature:
        """Returns a signature over the bytes, by the certificate in force."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.serialization import Encoding

        identity = self.trust.identity()
        certificate = identity.certificate.public_bytes(Encoding.DER)
        r, s = decode_dss_signature(identity.key.sign(_bound(data, certificate), ec.ECDSA(hashes.SHA256())))
        return Signature(
            value=encode(r.to_bytes(_WIDTH) + s.to_bytes(_WIDTH)),
            certificate=encode(certificate),
        )

    def check(self, data: bytes, signature: Signature, signed_at: datetime | None = None) -> Issuer:
        """Returns whose signature this is.

        Args:
            data: the bytes that were signed.
            signature: the signature beside them.
            signed_at: when they say they were signed; must lie within the certificate's life.

        Raises:
            TrustError: the signature does not fit the bytes, or the certificate may not sign.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        certificate, issuer = self._leaf(signature.certificate)
        raw = decode(signature.value)
        key = certificate.public_key()
        if len(raw) != 2 * _WIDTH or not isinstance(key, ec.EllipticCurvePublicKey):
            raise TrustError(say("A signature has the wrong form.", "签名格式不正确。"))
        numbers = encode_dss_signature(int.from_bytes(raw[:_WIDTH]), int.from_bytes(raw[_WIDTH:]))
        try:
            key.verify(numbers, _bound(data, decode(signature.certificate)), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise TrustError(say("A signature does not fit what it signs.", "签名与其所签内容不符。")) from None
        moment = (signed_at or datetime.now(UTC)).astimezone(UTC)
        if signed_at and not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise TrustError(say("Signed outside the certificate's life.", "签名时间不在证书有效期内。"))
        return issuer

    def _leaf(self, text: str) -> "tuple[Certificate, Issuer]":
        """Reads a certificate and finds its issuer; kept, because a ledger has thousands of the same."""
        if self._revision != self.trust.revision or len(self._leaves) > 256:
            self._leaves, self._revision = {}, self.trust.revision
        if text not in self._leaves:
            from inkseal.studio.provenance.certificates import certificate_errors

            try:
                certificate = _read_certificate(decode(text))
                self._leaves[text] = certificate, self.trust.issuer_of(certificate)
            except certificate_errors():
                raise TrustError(say("A signing certificate cannot be read.", "无法读取签名证书。")) from None
        return self._leaves[text]


def _bound(data: bytes, certificate: bytes) -> bytes:
    """Returns what is really signed: the data and its certificate, so that neither can be changed without the other."""
    return b"\n".join((b"inkseal", sha256(certificate).digest(), data))


def _read_certificate(der: bytes) -> "Certificate":
    """Returns a certificate that may sign contents, with every field read once.

    Raises:
        TrustError: it is of another kind.
        certificate_errors: it is malformed.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    on_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    dated = certificate.not_valid_before_utc < certificate.not_valid_after_utc
    if not on_curve or constraints.ca or not usage.digital_signature or not dated:
        raise TrustError(say("A certificate is not one for signing.", "该证书不可用于签名。"))
    return certificate
