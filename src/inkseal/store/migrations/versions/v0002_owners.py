"""Owners of artifacts and runs; keys, browser sessions and the audit log of the server."""

from alembic import op

revision = "v0002"
down_revision = "v0001"

_STATEMENTS = (
    "ALTER TABLE artifacts ADD COLUMN owner VARCHAR NOT NULL DEFAULT ''",
    "CREATE INDEX artifacts_by_owner ON artifacts (owner, id)",
    "ALTER TABLE runs ADD COLUMN owner VARCHAR NOT NULL DEFAULT ''",
    "CREATE INDEX runs_by_owner ON runs (owner, started_at)",
    """CREATE TABLE access_keys (
        id VARCHAR NOT NULL PRIMARY KEY,
        name VARCHAR NOT NULL,
        role VARCHAR NOT NULL CHECK (role IN ('admin', 'creator', 'viewer')),
        owner VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL,
        created_at VARCHAR NOT NULL,
        revoked_at VARCHAR,
        requests_per_minute INTEGER,
        tokens_per_day INTEGER,
        max_running INTEGER
    )""",
    """CREATE TABLE access_sessions (
        sha256 VARCHAR NOT NULL PRIMARY KEY,
        key_id VARCHAR NOT NULL REFERENCES access_keys (id),
        expires_at VARCHAR NOT NULL
    )""",
    """CREATE TABLE audit (
        number INTEGER NOT NULL PRIMARY KEY,
        created_at VARCHAR NOT NULL,
        key_id VARCHAR NOT NULL,
        action VARCHAR NOT NULL,
        subject VARCHAR NOT NULL,
        request_id VARCHAR NOT NULL
    )""",
    "CREATE INDEX audit_by_key ON audit (key_id, number)",
)


def upgrade() -> None:
    """Adds the columns and tables; what was made before belongs to nobody but the admins."""
    for statement in _STATEMENTS:
        op.execute(statement)
