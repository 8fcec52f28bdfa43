import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from inkseal.core.errors import InvalidRequest, TrustError, UnknownName
from inkseal.studio.provenance import issuers, trust
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.signer import Signer, decode, encode, fingerprint
from inkseal.studio.provenance.trust import Trust

MakeSealer = Callable[[str], Sealer]


def test_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    Trust(tmp_path).identity()
    for path in (tmp_path / "trust").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_refuses_a_key_that_others_may_read(tmp_path: Path) -> None:
    Trust(tmp_path).identity()
    (tmp_path / "trust" / "current.pem").chmod(0o644)
    with pytest.raises(TrustError, match="chmod 600"):
        Trust(tmp_path).identity()


def test_a_damaged_key_is_said_not_replaced(tmp_path: Path) -> None:
    Trust(tmp_path).identity()
    path = tmp_path / "trust" / "current.pem"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrustError, match="damaged"):
        Trust(tmp_path).identity()


def test_processes_that_come_at_once_agree_on_one_authority(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from inkseal.studio.provenance.trust import Trust;"
        "from inkseal.studio.provenance.signer import fingerprint;"
        "print(fingerprint(Trust(pathlib.Path(sys.argv[1])).identity().certificate))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    seen = {run.communicate()[0].strip() for run in runs}
    assert len(seen) == 1
    assert {path.stem for path in (tmp_path / "trust" / "own").iterdir()} == seen


def test_a_kill_while_making_keys_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            Trust(tmp_path).identity()
    assert not (tmp_path / "trust" / "current.pem").exists()
    signer = Signer(Trust(tmp_path))
    assert signer.check(b"x", signer.sign(b"x")).kind == "self"


def test_says_whose_signature_it_is(make_sealer: MakeSealer) -> None:
    here, there = make_sealer("here"), make_sealer("there")
    signature = there.signer.sign(b"words")
    assert there.signer.check(b"words", signature).kind == "self"
    assert here.signer.check(b"words", signature).kind == "unknown"
    (offered,) = here.trust.read_import(there.trust.export())
    kept = issuers.add(here, offered, "the other house")
    found = here.signer.check(b"words", signature)
    assert (found.kind, found.name) == ("known", "the other house")
    assert kept.fingerprint == fingerprint(there.trust.identity().authority)
    issuers.remove(here, kept.fingerprint[:12])
    assert here.signer.check(b"words", signature).kind == "unknown"
    with here.store.reading() as session:
        assert [entry.kind for entry in here.ledger.entries(session)] == ["key_imported", "key_removed"]


def test_a_name_proves_nothing(make_sealer: MakeSealer, monkeypatch: pytest.MonkeyPatch) -> None:
    here, impostor = make_sealer("here"), make_sealer("impostor")
    monkeypatch.setattr("secrets.token_hex", lambda _=0: "cafecafe")
    here.trust.identity()
    forged = impostor.signer.sign(b"words")
    assert impostor.signer.check(b"words", forged).name == "Inkseal cafecafe"
    assert here.signer.check(b"words", forged).kind == "unknown"


@pytest.mark.parametrize("position", [0, 40, 85])
def test_a_changed_signature_or_text_is_refused(tmp_path: Path, position: int) -> None:
    signer = Signer(Trust(tmp_path))
    signature = signer.sign(b"words")
    letters = list(signature.value)
    letters[position] = "A" if letters[position] != "A" else "B"
    with pytest.raises(TrustError):
        signer.check(b"words", signature.model_copy(update={"value": "".join(letters)}))
    with pytest.raises(TrustError):
        signer.check(b"wordz", signature)


def test_an_authority_may_not_sign_contents(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    mine = Trust(tmp_path)
    signer = Signer(mine)
    authority = encode(mine.identity().authority.public_bytes(Encoding.DER))
    with pytest.raises(TrustError, match="not one for signing"):
        signer.check(b"x", signer.sign(b"x").model_copy(update={"certificate": authority}))


def test_a_time_outside_the_certificates_life_is_refused(tmp_path: Path) -> None:
    signer = Signer(Trust(tmp_path))
    certificate = signer.trust.identity().certificate
    signature = signer.sign(b"x")
    assert signer.check(b"x", signature, certificate.not_valid_before_utc + timedelta(days=1))
    with pytest.raises(TrustError, match="life"):
        signer.check(b"x", signature, certificate.not_valid_after_utc + timedelta(seconds=1))


def test_rotation_keeps_old_seals_valid_and_destroys_the_old_key(sealer: Sealer) -> None:
    before = sealer.signer.sign(b"words")
    old_key = sealer.trust.identity().key_pem()
    new = issuers.rotate(sealer)
    after = sealer.signer.sign(b"words")
    assert before.certificate != after.certificate
    assert sealer.signer.check(b"words", before).kind == "self"
    assert sealer.signer.check(b"words", after).fingerprint == new
    folder = sealer.store.data_dir / "trust"
    assert not any(old_key[40:120] in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with sealer.store.reading() as session:
        assert [entry.kind for entry in sealer.ledger.entries(session)] == ["trust_rotated"]
        assert sealer.ledger.verify(session).valid


def test_a_broken_off_rotation_goes_on(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    sealer.trust.identity()
    with monkeypatch.context() as patch:
        patch.setattr(Trust, "finish_rotation", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            issuers.rotate(sealer)
    prepared = sealer.trust.pending_rotation()
    assert prepared is not None
    assert issuers.rotate(sealer) == fingerprint(prepared.authority)
    assert sealer.trust.pending_rotation() is None


def test_a_damaged_key_can_be_rotated_away(sealer: Sealer) -> None:
    before = sealer.signer.sign(b"words")
    (sealer.trust.folder / "current.pem").write_bytes(b"nothing")
    issuers.rotate(sealer)
    assert sealer.signer.check(b"words", before).kind == "self"
    with sealer.store.reading() as session:
        (entry,) = sealer.ledger.entries(session)
        assert entry.body["old"] == "damaged"


def test_the_signing_certificate_is_renewed_in_time(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sealer.signer.sign(b"words")
    authority = fingerprint(sealer.trust.identity().authority)
    monkeypatch.setattr(trust, "RENEW_BEFORE", timedelta(days=4000))
    monkeypatch.setattr("inkseal.studio.provenance.certificates.LEAF_DAYS", 5000)
    after = sealer.signer.sign(b"words")
    assert before.certificate != after.certificate
    assert sealer.signer.check(b"words", before).fingerprint == authority
    assert sealer.signer.check(b"words", after).fingerprint == authority


def test_export_holds_no_private_key(sealer: Sealer) -> None:
    data = sealer.trust.export()
    assert b"PRIVATE" not in data
    assert b"# SHA-256: " in data


@pytest.mark.parametrize("data", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_import_refuses_what_is_no_authority(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        Trust(tmp_path).read_import(data)


def test_import_refuses_private_keys_signing_certificates_and_large_files(make_sealer: MakeSealer) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    here, there = make_sealer("here"), make_sealer("there")
    identity = there.trust.identity()
    with pytest.raises(InvalidRequest, match="private key"):
        here.trust.read_import(identity.private_pem())
    with pytest.raises(InvalidRequest, match="self-signed"):
        here.trust.read_import(identity.certificate.public_bytes(Encoding.PEM))
    with pytest.raises(InvalidRequest, match="large"):
        here.trust.read_import(there.trust.export() + b" " * 70000)


def test_an_edited_known_issuer_is_refused(make_sealer: MakeSealer) -> None:
    here, there, third = make_sealer("here"), make_sealer("there"), make_sealer("third")
    (offered,) = here.trust.read_import(there.trust.export())
    here.trust.add_known(offered)
    (other,) = here.trust.read_import(third.trust.export())
    path = here.trust.folder / "known" / f"{offered.fingerprint}.json"
    path.write_text(offered.model_copy(update={"certificate": other.certificate}).model_dump_json())
    with pytest.raises(TrustError, match="fingerprint"):
        here.trust.known()


def test_removing_needs_one_clear_answer(sealer: Sealer) -> None:
    with pytest.raises(UnknownName):
        sealer.trust.remove_known("abc")
    with pytest.raises(UnknownName):
        sealer.trust.remove_known("")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_a_damaged_certificate_is_refused_and_nothing_else(tmp_path: Path) -> None:
    signer = Signer(Trust(tmp_path))
    signature = signer.sign(b"words")
    whole = decode(signature.certificate)
    for position in range(len(whole)):
        for bit in (1, 128):
            damaged = bytearray(whole)
            damaged[position] ^= bit
            with pytest.raises(TrustError):
                signer.check(b"words", signature.model_copy(update={"certificate": encode(bytes(damaged))}))


def _interrupted(self: Trust) -> None:
    raise KeyboardInterrupt
