"""Makes and reads the certificates of a local authority: one self-signed authority, one signing certificate."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.x509 import Certificate, KeyUsage, Name

AUTHORITY_YEARS = 20
LEAF_DAYS = 825
CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
"""Extended key usage for C2PA claim signing (C2PA 2.4, section 14.5.1); e-mail protection is its older stand-in."""

MAX_AUTHORITIES = 16


class Identity(NamedTuple):
    """The keys that sign, and their certificates."""

    key: "EllipticCurvePrivateKey"
    certificate: "Certificate"
    authority_key: "EllipticCurvePrivateKey"
    authority: "Certificate"

    def public_pem(self) -> bytes:
        """Returns the signing certificate, then the authority's."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.PEM) + self.authority.public_bytes(Encoding.PEM)

    def key_pem(self) -> bytes:
        """Returns the signing key, PKCS 8, in the clear."""
        return _key_pem(self.key)

    def private_pem(self) -> bytes:
        """Returns both keys and both certificates."""
        return _key_pem(self.key) + _key_pem(self.authority_key) + self.public_pem()


def new_identity() -> Identity:
    """Returns a new authority and its first signing certificate; the random name tells nothing of the machine."""
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = f"Inkseal {secrets.token_hex(4)}"
    authority = _certificate(name, authority_key.public_key(), name, authority_key, authority=True)
    return _with_leaf(authority_key, authority)


def renew(identity: Identity) -> Identity:
    """Returns the same authority with a new signing key and certificate."""
    return _with_leaf(identity.authority_key, identity.authority)


def identity_from_pem(data: bytes) -> Identity:
    """Reads what `private_pem` wrote.

    Raises:
        ValueError: it is damaged, or keys and certificates do not belong together.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    end = b"-----END PRIVATE KEY-----\n"
    blocks = data.split(end)
    if len(blocks) != 3:
        raise ValueError("not two keys and two certificates")
    key, authority_key = (load_pem_private_key(block + end, None) for block in blocks[:2])
    leaf, authority = read_authorities(blocks[2], authorities_only=False)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise ValueError("a key is not on an elliptic curve")
    if key.public_key() != leaf.public_key() or authority_key.public_key() != authority.public_key():
        raise ValueError("a key does not belong to its certificate")
    try:
        leaf.verify_directly_issued_by(authority)
    except InvalidSignature as error:
        raise ValueError("the certificates do not belong together") from error
    return Identity(key, leaf, authority_key, authority)


def read_authorities(data: bytes, *, authorities_only: bool = True) -> "list[Certificate]":
    """Reads PEM certificates; unless told otherwise each must be a self-signed authority on P-256.

    Raises:
        ValueError: there is none, one is damaged, or one is not an authority.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    certificates = x509.load_pem_x509_certificates(data)
    if len(certificates) > MAX_AUTHORITIES:
        raise ValueError(f"more than {MAX_AUTHORITIES} certificates")
    if not authorities_only:
        if len(certificates) != 2:
            raise ValueError("not two certificates")
        return certificates
    for certificate in certificates:
        try:
            key = certificate.public_key()
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            certificate.verify_directly_issued_by(certificate)
        except certificate_errors() as error:
            raise ValueError("a certificate is not a self-signed authority") from error
        on_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        if not constraints.ca or not on_curve:
            raise ValueError("a certificate is not an authority on the curve P-256")
    return certificates


def certificate_errors() -> tuple[type[Exception], ...]:
    """Returns what the library raises when a certificate from outside is malformed; it reads some fields late."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    return (
        ValueError,
        TypeError,
        InvalidSignature,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )


def _with_leaf(authority_key: "EllipticCurvePrivateKey", authority: "Certificate") -> Identity:
    from cryptography.hazmat.primitives.asymmetric import ec

    from inkseal.studio.provenance.signer import common_name

    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name(authority)
    leaf = _certificate(f"{name} seal", key.public_key(), name, authority_key, within=authority)
    return Identity(key, leaf, authority_key, authority)


def _certificate(
    name: str,
    key: "EllipticCurvePublicKey",
    issuer: str,
    issuer_key: "EllipticCurvePrivateKey",
    *,
    authority: bool = False,
    within: "Certificate | None" = None,
) -> "Certificate":
    """Returns a certificate on P-256 with the extensions that the C2PA certificate profile asks for.

    Raises:
        ValueError: it would live outside the life of the authority `within`.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    # A day early, so that a clock set back a little does not make signatures that nobody accepts.
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    end = start + (timedelta(days=366 * AUTHORITY_YEARS) if authority else timedelta(days=LEAF_DAYS))
    if within is not None:
        start, end = max(start, within.not_valid_before_utc), min(end, within.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(_key_usage(authority), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if authority:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    else:
        usages = [ExtendedKeyUsageOID.EMAIL_PROTECTION, x509.ObjectIdentifier(CLAIM_SIGNING)]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(common: str) -> "Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Inkseal"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _key_usage(authority: bool) -> "KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
