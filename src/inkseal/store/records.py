"""The tables as typed classes. Times are ISO 8601 text in UTC with milliseconds, so that text order is time order."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, ForeignKey, Index, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcText(TypeDecorator[datetime]):
    """An aware datetime, kept as `2026-01-31T23:59:59.123Z`."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be recorded")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Row(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData()
    type_annotation_map = {datetime: UtcText, bytes: LargeBinary}


class ArtifactRow(Row):
    """A piece of media; the content lies under its hash. `state` is active, withdrawn or deleted."""

    __tablename__ = "artifacts"
    __table_args__ = (
        Index("artifacts_by_sha256", "sha256"),
        Index("artifacts_by_time", "created_at"),
        Index("artifacts_by_owner", "owner", "id"),
        Index("artifacts_by_model", "model", "id"),
        Index("artifacts_by_app", "app", "id"),
        Index("artifacts_by_verdict", "verdict", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    modality: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]
    title: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="active")
    owner: Mapped[str] = mapped_column(default="")
    """Of whose key it was made; empty for the command line."""
    app: Mapped[str] = mapped_column(default="")
    """The application that made it; empty when it was asked for without one."""
    step: Mapped[str] = mapped_column(default="")
    """Which step of the application it answers; empty for what was made of all of them."""
    regime: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="allow")
    """The strictest action of any check on it or on its prompt."""


class FlagRow(Row):
    """What a check said of an artifact or its prompt when it did not simply allow it."""

    __tablename__ = "flags"
    __table_args__ = (Index("flags_by_check", "check_name", "artifact_id"),)

    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)
    check_name: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]


class ParentRow(Row):
    """One step of descent. A parent may be unknown here: it can have been made by another installation."""

    __tablename__ = "parents"
    __table_args__ = (Index("parents_by_parent", "parent_id"),)

    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[str]


class ManifestRow(Row):
    """The facts of an artifact: `body` is canonical JSON, `sha256` its hash, `chain` certificates in PEM."""

    __tablename__ = "manifests"
    __table_args__ = (Index("manifests_by_sha256", "sha256"),)

    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)
    sha256: Mapped[str]
    body: Mapped[bytes]
    signature: Mapped[bytes]
    chain: Mapped[bytes]


class LedgerRow(Row):
    """One entry of the append-only record; triggers refuse to change, replace or remove it. `body` is JSON."""

    __tablename__ = "ledger"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime]
    kind: Mapped[str]
    body: Mapped[str]
    previous_sha256: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    signature: Mapped[bytes]
    key_id: Mapped[str]


class FingerprintRow(Row):
    """A fingerprint of an artifact's content; finds it again after marks are gone."""

    __tablename__ = "fingerprints"
    __table_args__ = (Index("fingerprints_by_value", "kind", "value"),)

    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class BandRow(Row):
    """A key under which similar fingerprints meet; `band` holds the band's number and its hash."""

    __tablename__ = "fingerprint_bands"
    __table_args__ = (Index("fingerprint_bands_by_artifact", "artifact_id"), {"sqlite_with_rowid": False})

    kind: Mapped[str] = mapped_column(primary_key=True)
    band: Mapped[bytes] = mapped_column(primary_key=True)
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)


class RunRow(Row):
    """One recorded execution. `request` and `usage` are JSON; `request` holds no words of the prompt."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_start", "started_at"), Index("runs_by_owner", "owner", "started_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    status: Mapped[str]
    usage: Mapped[str | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    owner: Mapped[str] = mapped_column(default="")


class WordedRow(Row):
    """Which row of the word index (`words`, FTS5) belongs to which artifact."""

    __tablename__ = "worded"

    number: Mapped[int] = mapped_column(primary_key=True)
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), unique=True)


class CollectionRow(Row):
    """A named set of artifacts that somebody put together."""

    __tablename__ = "collections"
    __table_args__ = (Index("collections_by_owner", "owner", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]
    created_at: Mapped[datetime]


class CollectedRow(Row):
    """An artifact in a collection."""

    __tablename__ = "collected"
    __table_args__ = (Index("collected_by_artifact", "artifact_id"), {"sqlite_with_rowid": False})

    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id"), primary_key=True)


class VectorRow(Row):
    """The meaning of a content, by the embedding model with the hash `model`; empty when it has no words."""

    __tablename__ = "vectors"
    __table_args__ = (Index("vectors_by_content", "sha256"),)

    model: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class ErasureRow(Row):
    """A content whose last artifact was deleted and whose file may still be there; the next start finishes it."""

    __tablename__ = "erasures"

    sha256: Mapped[str] = mapped_column(primary_key=True)


class KeyRow(Row):
    """A key of the server; of the secret only the SHA-256 is kept. Limits that are None do not exist."""

    __tablename__ = "access_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    owner: Mapped[str]
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    requests_per_minute: Mapped[int | None]
    tokens_per_day: Mapped[int | None]
    max_running: Mapped[int | None]


class SessionRow(Row):
    """A browser's session; of its cookie only the SHA-256 is kept."""

    __tablename__ = "access_sessions"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("access_keys.id"))
    expires_at: Mapped[datetime]


class KeptRow(Row):
    """Something of an owner's that goes away by itself; `kind` says whose room keeps it, `body` is that room's."""

    __tablename__ = "kept"
    __table_args__ = (Index("kept_by_expiry", "kind", "expires_at"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
    size_bytes: Mapped[int]
    body: Mapped[bytes]


class AuditRow(Row):
    """Who did what, by key; never what was said."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_key", "key_id", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    key_id: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")


class ConversationRow(Row):
    """A conversation in the web studio. `settings` is JSON."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_by_owner", "owner", "updated_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    title: Mapped[str]
    settings: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TurnRow(Row):
    """One turn of a conversation, as JSON. What a model said is not in it: that is the artifact of the turn's run."""

    __tablename__ = "turns"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
