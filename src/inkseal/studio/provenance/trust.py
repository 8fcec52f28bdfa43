"""The local certificate authority and the issuers it knows, as files in `<data folder>/trust/`.

current.pem    signing key and certificate, authority's key and certificate; readable by the owner only
own/*.pem      every certificate this installation ever signed with; no keys
known/*.json   authorities of other installations, imported by hand
prompt.key     the secret under which prompts are digested
watermark.key  the secret under which text is watermarked, and found again
"""

import json
import os
import secrets
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.store.durable import disk_errors, make_folder, sync_folder, write_whole
from inkseal.studio.provenance.certificates import Identity, identity_from_pem, new_identity, read_authorities, renew
from inkseal.studio.provenance.signer import Issuer, common_name, fingerprint

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_IMPORT_BYTES = 65536
RENEW_BEFORE = timedelta(days=30)


class KnownIssuer(Closed):
    """An authority of another installation that a person here chose to trust."""

    name: str
    fingerprint: str
    imported_at: str
    certificate: str


class _Own(NamedTuple):
    leaf: "Certificate"
    authority: "Certificate"


class Trust:
    """Keys and certificates of one data folder. The authority is made when it is first needed."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "trust"
        self.revision = 0
        self._identity: tuple[int, Identity] | None = None

    def identity(self) -> Identity:
        """Returns the keys in force, making them at the first call on this data folder.

        Two processes that come at once end with the same keys: the file appears whole, and only once.

        Raises:
            TrustError: the key file is damaged or others may read it, or the clock stands at a time when the authority
                may not sign.
        """
        path = self.folder / "current.pem"
        if not path.exists():
            self._make_folders()
            self._install(new_identity(), path, exclusive=True)
        changed = path.stat().st_mtime_ns
        if self._identity is None or self._identity[0] != changed:
            self._identity = changed, self._load(path)
            self.revision += 1
        identity = self._identity[1]
        moment, leaf, authority = datetime.now(UTC), identity.certificate, identity.authority
        ends = leaf.not_valid_after_utc
        if ends < authority.not_valid_after_utc:  # else a new one would end no later
            ends -= RENEW_BEFORE
        # A clock that was set back leaves a certificate of the future: what that signs now, nobody would accept.
        if leaf.not_valid_before_utc <= moment <= ends:
            return identity
        if not authority.not_valid_before_utc <= moment < authority.not_valid_after_utc:
            raise _wrong_time(moment)
        self._install(renew(identity), path)
        return self.identity()

    def _make_folders(self) -> None:
        for name in ("own", "known"):
            make_folder(self.folder / name)

    def _install(self, identity: Identity, path: Path, *, exclusive: bool = False) -> None:
        """Writes the certificates first: a signature must never be made that cannot be checked later."""
        own = self.folder / "own" / f"{fingerprint(identity.certificate)}.pem"
        write_whole(own, identity.public_pem())
        if not exclusive:
            write_whole(path, identity.private_pem())
        elif not _write_once(path, identity.private_pem()):
            own.unlink(missing_ok=True)

    def _load(self, path: Path) -> Identity:
        _refuse_readers(path)
        try:
            return identity_from_pem(path.read_bytes())
        except (ValueError, TypeError) as error:
            raise TrustError(
                say(f"The signing key {path} is damaged.", f"签名密钥 {path} 已损坏。"),
                fix=say(
                    "Restore it from a backup, or run: inkseal trust rotate",
                    "请从备份恢复，或运行：inkseal trust rotate",
                ),
            ) from error

    def prompt_secret(self) -> bytes:
        """Returns the 32 bytes under which prompts are digested; made at the first call."""
        return self._secret("prompt.key")

    def watermark_secret(self) -> bytes:
        """Returns the 32 bytes under which text is watermarked; made at the first call.

        Raises:
            TrustError: the file is damaged, or others may read it.
        """
        return self._secret("watermark.key")

    @property
    def has_watermark_secret(self) -> bool:
        """False when nothing can have been watermarked here."""
        return (self.folder / "watermark.key").exists()

    def _secret(self, name: str) -> bytes:
        path = self.folder / name
        if not path.exists():
            self._make_folders()
            _write_once(path, secrets.token_bytes(32))
        _refuse_readers(path)
        secret = path.read_bytes()
        if len(secret) != 32:
            raise TrustError(say(f"{path} is damaged.", f"{path} 已损坏。"))
        return secret

    def prepare_rotation(self) -> Identity:
        """Makes the next authority and keeps it aside until `finish_rotation`."""
        self._make_folders()
        self._install(new_identity(), self.folder / "next.pem")
        return self._load(self.folder / "next.pem")

    def pending_rotation(self) -> Identity | None:
        """Returns the authority that was prepared and is not yet in force."""
        path = self.folder / "next.pem"
        return self._load(path) if path.exists() else None

    def finish_rotation(self) -> Identity:
        """Puts the prepared authority in force; the old private keys are gone, its certificates stay."""
        (self.folder / "next.pem").replace(self.folder / "current.pem")
        self._identity = None
        return self.identity()

    def own(self) -> dict[str, _Own]:
        """Returns every certificate this installation ever signed with, by fingerprint."""
        found = {}
        for path in sorted((self.folder / "own").glob("*.pem")):
            try:
                leaf, authority = read_authorities(path.read_bytes(), authorities_only=False)
            except ValueError:
                raise TrustError(say(f"The certificate file {path} is damaged.", f"证书文件 {path} 已损坏。")) from None
            found[fingerprint(leaf)] = _Own(leaf, authority)
        return found

    def known(self) -> list[KnownIssuer]:
        """Returns the imported authorities, by name.

        Raises:
            TrustError: a file was changed so that its fingerprint no longer fits.
        """
        issuers = []
        for path in sorted((self.folder / "known").glob("*.json")):
            try:
                issuer = KnownIssuer.model_validate_json(path.read_bytes())
                certificate = read_authorities(issuer.certificate.encode())[0]
            except ValueError:
                raise TrustError(say(f"{path} is damaged.", f"{path} 已损坏。")) from None
            if fingerprint(certificate) != issuer.fingerprint or path.stem != issuer.fingerprint:
                raise TrustError(say(f"{path} does not fit its fingerprint.", f"{path} 与其指纹不符。"))
            issuers.append(issuer)
        return sorted(issuers, key=lambda issuer: issuer.name)

    def export(self) -> bytes:
        """Returns the public certificates of this installation's authorities, newest first, as commented PEM."""
        self.identity()
        authorities = {fingerprint(own.authority): own.authority for own in self.own().values()}
        newest = sorted(authorities.values(), key=lambda c: c.not_valid_before_utc, reverse=True)
        return "\n".join(_commented_pem(certificate) for certificate in newest).encode()

    def read_import(self, data: bytes) -> list[KnownIssuer]:
        """Returns what a file made by `export` on another installation would add, to be shown and agreed to.

        Raises:
            InvalidRequest: it holds no authority certificate, holds a private key, or is too large.
        """
        if len(data) > MAX_IMPORT_BYTES:
            raise InvalidRequest(say("The certificate file is too large.", "证书文件过大。"))
        if b"PRIVATE KEY" in data:
            raise InvalidRequest(
                say("The file holds a private key; only certificates may be shared.", "文件含有私钥；只应共享证书。"),
                fix=say(
                    "On the other installation run: inkseal trust export", "请在对方机器上运行：inkseal trust export"
                ),
            )
        try:
            certificates = read_authorities(data)
        except ValueError as error:
            raise InvalidRequest(
                say(
                    f"The file holds no usable authority certificate: {error}.",
                    f"文件中没有可用的颁发者证书：{error}。",
                ),
                fix=say("Give a file made by: inkseal trust export", "请提供由 inkseal trust export 生成的文件"),
            ) from None
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return [
            KnownIssuer(
                name=common_name(c), fingerprint=fingerprint(c), imported_at=moment, certificate=_commented_pem(c)
            )
            for c in certificates
        ]

    def add_known(self, issuer: KnownIssuer, name: str = "") -> KnownIssuer:
        """Keeps an authority as known, under a name of this installation's choosing."""
        self._make_folders()
        kept = issuer.model_copy(update={"name": name or issuer.name})
        data = json.dumps(kept.model_dump(), ensure_ascii=False, indent=1).encode()
        write_whole(self.folder / "known" / f"{kept.fingerprint}.json", data)
        self.revision += 1
        return kept

    def remove_known(self, start: str) -> KnownIssuer:
        """Forgets the authority whose fingerprint or name begins so.

        Raises:
            UnknownName: none, or more than one, fits.
        """
        issuers = self.known()
        fits = [i for i in issuers if start and (i.fingerprint.startswith(start.lower()) or i.name == start)]
        if len(fits) != 1:
            raise UnknownName("issuer", start, [i.fingerprint[:16] for i in issuers])
        (self.folder / "known" / f"{fits[0].fingerprint}.json").unlink()
        self.revision += 1
        return fits[0]

    def issuer_of(self, leaf: "Certificate") -> Issuer:
        """Returns who issued a signing certificate, by signature and not by name."""
        for own in self.own().values():
            if _issued(leaf, own.authority):
                return Issuer(kind="self", name=common_name(own.authority), fingerprint=fingerprint(own.authority))
        for issuer in self.known():
            if _issued(leaf, read_authorities(issuer.certificate.encode())[0]):
                return Issuer(kind="known", name=issuer.name, fingerprint=issuer.fingerprint)
        return Issuer(kind="unknown", name=common_name(leaf, of_issuer=True))

    def anchors(self, *, own_only: bool = False) -> str:
        """Returns the trusted authority certificates as PEM."""
        mine = {_pem(own.authority) for own in self.own().values()}
        return "".join(sorted(mine | (set() if own_only else {issuer.certificate for issuer in self.known()})))


def _wrong_time(moment: datetime) -> TrustError:
    return TrustError(
        say(
            f"The clock stands at {moment:%Y-%m-%d}, when this installation's authority may not sign.",
            f"系统时钟为 {moment:%Y-%m-%d}，不在本机签名机构的有效期内。",
        ),
        fix=say("Set the clock.", "请校正系统时钟。"),
    )


def _write_once(path: Path, data: bytes) -> bool:
    """Creates the file whole; returns False when another process was first, whose file is then whole too."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    write_whole(temporary, data)
    try:
        with disk_errors(path):
            os.link(temporary, path)
            sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _refuse_readers(path: Path) -> None:
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise TrustError(
            say(f"Others may read the secret key {path}.", f"其他用户可读取密钥 {path}。"),
            fix=say(f"Run: chmod 600 {path}", f"请运行：chmod 600 {path}"),
        )


def _issued(leaf: "Certificate", authority: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return bool(
        leaf.not_valid_before_utc >= authority.not_valid_before_utc
        and leaf.not_valid_after_utc <= authority.not_valid_after_utc
    )


def _pem(certificate: "Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _commented_pem(certificate: "Certificate") -> str:
    mark = fingerprint(certificate).upper()
    pairs = ":".join(mark[i : i + 2] for i in range(0, 64, 2))
    return f"# Inkseal issuer: {common_name(certificate)}\n# SHA-256: {pairs}\n{_pem(certificate)}"
