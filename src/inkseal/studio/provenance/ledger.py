"""The append-only record: each entry names the hash of the one before it and is signed.

An entry's hash is made of one hash per field, so that `verify` can say which field was changed. A signed head file
tells how long the record was, so that cutting off its end is found too. Whoever holds the signing key can rewrite all
of it: keep a head elsewhere (`Ledger.head`) against that.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from inkseal.core.errors import TrustError
from inkseal.core.language import say
from inkseal.core.types import Closed, now
from inkseal.store.durable import write_whole
from inkseal.studio.provenance.canonical import canonical_json
from inkseal.studio.provenance.manifest import iso
from inkseal.studio.provenance.signer import Signature, Signer, decode, encode, fingerprint

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Kind = Literal[
    "artifact_sealed",
    "artifact_withdrawn",
    "artifact_deleted",
    "exported",
    "unlabelled_export",
    "trust_rotated",
    "key_imported",
    "key_removed",
    "model_added",
    "model_removed",
]
START = "0" * 64
"""What the first entry names as the hash before it."""

_FIELDS = ("seq", "created_at", "kind", "body", "previous_sha256", "key_id")
"""What an entry's hash covers, in this order."""

# As bytes: a text with a flipped bit may be no text any more, and must be named, not raise.
_AS_BYTES = ", ".join(f"CAST({name} AS BLOB) AS {name}" for name in (*_FIELDS[1:], "sha256", "signature"))
_SELECT = f"SELECT seq, {_AS_BYTES} FROM ledger"  # noqa: S608 - made of the constants above
_FIELD_HASH_BYTES = 16
_SIGNATURE_BYTES = 64


class Entry(Closed):
    """One entry as it was written."""

    seq: int
    created_at: str
    kind: str
    body: dict[str, Any]
    previous_sha256: str
    sha256: str
    key_id: str


class Head(Closed):
    """How long the record was at a moment, signed; to be kept elsewhere if tampering on this machine is feared."""

    seq: int
    sha256: str
    created_at: str
    signature: Signature

    def signed_bytes(self) -> bytes:
        return canonical_json(self.model_dump(mode="json", exclude={"signature"}))


class Problem(Closed):
    """Where the record does not add up: the entry, what of it is off, and how."""

    seq: int
    field: str
    reason: str


class Report(Closed):
    """What `Ledger.verify` found."""

    num_entries: int
    head_seq: int | None
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        return not self.problems


class Ledger:
    """Writes entries inside the caller's transaction, and verifies the record."""

    def __init__(self, signer: Signer, data_dir: Path) -> None:
        self.signer = signer
        self.head_file = data_dir / "trust" / "ledger.head"

    def append(self, session: "Session", kind: Kind, body: Mapping[str, Any]) -> Entry:
        """Adds an entry; it is there when the transaction commits. Call `write_head` after that.

        Args:
            session: a transaction that no other writer can overtake (the store's are).
            kind: what happened.
            body: the facts, JSON values only; never anybody's words.
        """
        from sqlalchemy import select

        from inkseal.store.records import LedgerRow

        session.flush()
        last = session.execute(select(LedgerRow.seq, LedgerRow.sha256).order_by(LedgerRow.seq.desc()).limit(1)).first()
        if last is None:
            # From the first entry on there is a head, so that a missing one is a finding.
            self._write(self._head(0, START))
        moment = now()
        core: dict[str, Any] = {
            "seq": last.seq + 1 if last else 1,
            "created_at": iso(moment),
            "kind": kind,
            "body": canonical_json(dict(body)).decode("utf-8"),
            "previous_sha256": last.sha256 if last else START,
            "key_id": fingerprint(self.signer.trust.identity().certificate),
        }
        fields = _field_hashes(core)
        digest = sha256(fields).hexdigest()
        signature = decode(self.signer.sign(digest.encode()).value) + fields
        session.add(LedgerRow(**core | {"created_at": moment}, sha256=digest, signature=signature))
        session.flush()
        return Entry(**core | {"body": dict(body)}, sha256=digest)

    def write_head(self, session: "Session") -> None:
        """Signs how long the record is now. A crash before this leaves a head that lags, which is no fault."""
        self._write(self.head(session))

    def head(self, session: "Session") -> Head:
        """Returns the signed length and last hash of the record."""
        from sqlalchemy import text

        row = session.execute(text("SELECT seq, sha256 FROM ledger ORDER BY seq DESC LIMIT 1")).first()
        return self._head(row[0], row[1]) if row else self._head(0, START)

    def _head(self, seq: int, digest: str) -> Head:
        facts: dict[str, Any] = {"seq": seq, "sha256": digest, "created_at": iso(now())}
        return Head(**facts, signature=self.signer.sign(canonical_json(facts)))

    def _write(self, head: Head) -> None:
        write_whole(self.head_file, canonical_json(head.model_dump(mode="json")))

    def entries(self, session: "Session", *, after: int = 0, limit: int = 1000, kind: str = "") -> Iterator[Entry]:
        """Yields entries in order, as they stand; `verify` says whether to believe them."""
        from sqlalchemy import text

        query = "SELECT * FROM ledger WHERE seq > :after AND (:kind = '' OR kind = :kind) ORDER BY seq LIMIT :limit"
        for row in session.execute(text(query), {"after": after, "limit": limit, "kind": kind}).mappings():
            yield _entry(row)

    def of(self, session: "Session", artifact_id: str) -> Iterator[Entry]:
        """Yields the entries that tell of an artifact, in order, as they stand."""
        from sqlalchemy import text

        query = text("SELECT * FROM ledger WHERE instr(body, :id) ORDER BY seq")
        for row in session.execute(query, {"id": f'"artifact_id":"{artifact_id}"'}).mappings():
            yield _entry(row)

    def verify(self, session: "Session", since: Head | None = None) -> Report:
        """Finds every edit, removal, insertion and reordering, and names the entry and the field.

        Args:
            session: one view of the records.
            since: a head that was kept elsewhere; the record must still contain it.
        """
        from sqlalchemy import text

        rows = session.execute(text(f"{_SELECT} ORDER BY seq"))
        walk = _Walk(self.signer)
        own = self._read_head(walk)
        heads = [head for head in (own, since) if head is not None and walk.trusts(head)]
        wanted = {head.seq: head.sha256 for head in heads}
        for row in rows.mappings():
            walk.take(dict(row), wanted)
        for head in heads:
            walk.reach(head)
        return Report(num_entries=walk.num_entries, head_seq=own.seq if own else None, problems=tuple(walk.problems))

    def check_artifact(self, session: "Session", artifact_id: str, manifest_sha256: str) -> list[Problem]:
        """Returns what is wrong with the entry that recorded an artifact; quicker than `verify`, and says less.

        Args:
            session: one view of the records.
            artifact_id: the artifact.
            manifest_sha256: the hash that the entry must name; not compared when empty.
        """
        from sqlalchemy import text

        query = text(f"{_SELECT} WHERE kind LIKE 'artifact_%' AND instr(body, :id) ORDER BY seq")
        walk = _Walk(self.signer)
        rows = [dict(row) for row in session.execute(query, {"id": artifact_id}).mappings()]
        if not rows:
            return [Problem(seq=0, field="entry", reason=say("there is no entry for it", "没有对应条目"))]
        first = rows[0]
        problems = [
            Problem(seq=first["seq"], field=field, reason=say("was changed", "被改动"))
            for field in walk.changed(first, bytes(first["sha256"] or b""))
        ]
        if not problems and manifest_sha256.encode() not in bytes(first["body"]):
            problems = [Problem(seq=first["seq"], field="body", reason=say("names another manifest", "指向另一清单"))]
        return problems

    def exports(self, session: "Session", artifact_id: str) -> set[str]:
        """Returns the SHA-256 of every file that was exported of an artifact, by entries that are whole."""
        from sqlalchemy import text

        query = text(f"{_SELECT} WHERE kind IN ('exported', 'unlabelled_export') AND instr(body, :id)")
        walk = _Walk(self.signer)
        rows = [dict(row) for row in session.execute(query, {"id": artifact_id}).mappings()]
        whole = [row for row in rows if not walk.changed(row, bytes(row["sha256"] or b""))]
        return {str(json.loads(bytes(row["body"])).get("sha256", "")) for row in whole}

    def _read_head(self, walk: "_Walk") -> Head | None:
        """Reads the head file; its faults become problems, and its absence one as soon as there is an entry."""
        try:
            return Head.model_validate_json(self.head_file.read_bytes())
        except FileNotFoundError:
            walk.head_missing = True
        except ValidationError:
            walk.add(0, "head", say("the head file was changed", "头文件被改动"))
        return None


class _Walk:
    """Goes through the entries in order and gathers what is off."""

    def __init__(self, signer: Signer) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        self.signer = signer
        self.keys = {key_id: encode(own.leaf.public_bytes(Encoding.DER)) for key_id, own in signer.trust.own().items()}
        self.problems: list[Problem] = []
        self.num_entries = 0
        self.head_missing = False
        self._seq = 0
        self._previous = START.encode()

    def add(self, seq: int, field: str, reason: str) -> None:
        self.problems.append(Problem(seq=seq, field=field, reason=reason))

    def trusts(self, head: Head) -> bool:
        """Adds a problem and returns False when the head was not signed here."""
        try:
            issuer = self.signer.check(head.signed_bytes(), head.signature)
        except TrustError:
            issuer = None
        if issuer is None or issuer.kind != "self":
            self.add(0, "head", say("the head was changed, or signed elsewhere", "头文件被改动或非本机签名"))
            return False
        return True

    def take(self, row: dict[str, Any], wanted: Mapping[int, str]) -> None:
        """Checks one entry against its own hash and signature, and against the entry before it."""
        seq, digest = row["seq"], bytes(row["sha256"] or b"")
        if self.head_missing and not self.num_entries:
            self.add(0, "head", say("the head file is missing", "头文件缺失"))
        if seq != self._seq + 1:
            gap = str(self._seq + 1) if seq == self._seq + 2 else f"{self._seq + 1}–{seq - 1}"
            self.add(self._seq + 1, "seq", say(f"entries missing: {gap}", f"缺少条目：{gap}"))
        changed = self.changed(row, digest)
        for field in changed:
            self.add(seq, field, say("was changed, or is not from this installation", "被改动，或并非出自本机"))
        if not changed and seq == self._seq + 1 and bytes(row["previous_sha256"]) != self._previous:
            self.add(seq, "previous_sha256", say("does not follow the entry before it", "与前一条目不相接"))
        if wanted.get(seq, digest.decode(errors="replace")) != digest.decode(errors="replace"):
            self.add(seq, "sha256", say("is not the entry that the head was signed for", "与头文件所签条目不同"))
        self._seq, self._previous = seq, digest
        self.num_entries += 1

    def changed(self, row: dict[str, Any], digest: bytes) -> list[str]:
        """Returns the fields of an entry that are not as they were signed."""
        actual, blob = _field_hashes(row), bytes(row["signature"] or b"")
        signature, recorded = blob[:_SIGNATURE_BYTES], blob[_SIGNATURE_BYTES:]
        whole = sha256(actual).hexdigest().encode()
        if whole == digest:
            return [] if recorded == actual and self._signed(row, digest, signature) else ["signature"]
        if sha256(recorded).hexdigest().encode() == digest and self._signed(row, digest, signature):
            width = _FIELD_HASH_BYTES
            pieces = [slice(i * width, (i + 1) * width) for i in range(len(_FIELDS))]
            return [name for name, at in zip(_FIELDS, pieces, strict=True) if actual[at] != recorded[at]]
        if self._signed(row, whole, signature):
            return ["sha256"]
        return ["sha256", "signature"]

    def _signed(self, row: dict[str, Any], digest: bytes, signature: bytes) -> bool:
        """True when any certificate of this installation signed the hash; the one named is tried first."""
        named = bytes(row["key_id"] or b"").decode(errors="replace")
        for key_id in sorted(self.keys, key=lambda key_id: key_id != named):
            try:
                made = Signature(value=encode(signature), certificate=self.keys[key_id])
                return self.signer.check(digest, made).kind == "self"
            except TrustError:
                continue
        return False

    def reach(self, head: Head) -> None:
        """The record must be at least as long as a head that was signed for it."""
        if head.seq > self._seq:
            gap = str(head.seq) if head.seq == self._seq + 1 else f"{self._seq + 1}–{head.seq}"
            self.add(self._seq + 1, "seq", say(f"entries cut off: {gap}", f"末尾条目缺失：{gap}"))


def _entry(row: Mapping[Any, Any]) -> Entry:
    fields = {name: row[name] for name in (*_FIELDS, "sha256")}
    return Entry(**fields | {"body": json.loads(row["body"])})


def _field_hashes(row: Mapping[str, Any]) -> bytes:
    """Returns one 16-byte hash per field, in the order of `_FIELDS`."""
    pieces = []
    for name in _FIELDS:
        value = row[name]
        data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode("utf-8")
        pieces.append(sha256(name.encode() + b"=" + data).digest()[:_FIELD_HASH_BYTES])
    return b"".join(pieces)
