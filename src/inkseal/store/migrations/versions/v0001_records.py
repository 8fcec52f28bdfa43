"""The first schema: artifacts, manifests, ledger, fingerprints, runs, words."""

from alembic import op

revision = "v0001"
down_revision = None

_STATEMENTS = (
    """CREATE TABLE artifacts (
        id VARCHAR NOT NULL PRIMARY KEY,
        modality VARCHAR NOT NULL,
        media_type VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at VARCHAR NOT NULL,
        title VARCHAR NOT NULL,
        model VARCHAR NOT NULL,
        state VARCHAR NOT NULL CHECK (state IN ('active', 'withdrawn', 'deleted'))
    )""",
    "CREATE INDEX artifacts_by_sha256 ON artifacts (sha256)",
    "CREATE INDEX artifacts_by_time ON artifacts (created_at)",
    """CREATE TABLE parents (
        artifact_id VARCHAR NOT NULL REFERENCES artifacts (id),
        position INTEGER NOT NULL,
        parent_id VARCHAR NOT NULL,
        PRIMARY KEY (artifact_id, position)
    )""",
    "CREATE INDEX parents_by_parent ON parents (parent_id)",
    """CREATE TABLE manifests (
        artifact_id VARCHAR NOT NULL PRIMARY KEY REFERENCES artifacts (id),
        sha256 VARCHAR NOT NULL,
        body BLOB NOT NULL,
        signature BLOB NOT NULL,
        chain BLOB NOT NULL
    )""",
    "CREATE INDEX manifests_by_sha256 ON manifests (sha256)",
    """CREATE TABLE ledger (
        seq INTEGER NOT NULL PRIMARY KEY,
        created_at VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        body VARCHAR NOT NULL,
        previous_sha256 VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL UNIQUE,
        signature BLOB NOT NULL,
        key_id VARCHAR NOT NULL
    )""",
    """CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    # INSERT OR REPLACE removes a row without asking the trigger above, unless recursive triggers are on
    """CREATE TRIGGER ledger_refuses_replace BEFORE INSERT ON ledger
        WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq OR sha256 = NEW.sha256)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TABLE fingerprints (
        artifact_id VARCHAR NOT NULL REFERENCES artifacts (id),
        kind VARCHAR NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (artifact_id, kind)
    )""",
    "CREATE INDEX fingerprints_by_value ON fingerprints (kind, value)",
    """CREATE TABLE fingerprint_bands (
        kind VARCHAR NOT NULL,
        band BLOB NOT NULL,
        artifact_id VARCHAR NOT NULL REFERENCES artifacts (id),
        PRIMARY KEY (kind, band, artifact_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX fingerprint_bands_by_artifact ON fingerprint_bands (artifact_id)",
    """CREATE TABLE runs (
        id VARCHAR NOT NULL PRIMARY KEY,
        request VARCHAR NOT NULL,
        status VARCHAR NOT NULL,
        usage VARCHAR,
        error VARCHAR,
        started_at VARCHAR NOT NULL,
        finished_at VARCHAR
    )""",
    "CREATE INDEX runs_by_start ON runs (started_at)",
    """CREATE TABLE worded (
        number INTEGER NOT NULL PRIMARY KEY,
        artifact_id VARCHAR NOT NULL UNIQUE REFERENCES artifacts (id)
    )""",
    "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')",
)


def upgrade() -> None:
    """Makes every table."""
    for statement in _STATEMENTS:
        op.execute(statement)
