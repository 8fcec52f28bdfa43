"""What the gallery filters by, collections, vectors of contents, and contents that are being deleted."""

from alembic import op

revision = "v0005"
down_revision = "v0004"

# A body that somebody damaged is no JSON any more; it must not keep everybody else's records from being upgraded.
_BODY = "(CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) ELSE '{}' END)"
_RANK = "CASE action WHEN 'block' THEN 3 WHEN 'redact' THEN 2 WHEN 'flag' THEN 1 ELSE 0 END"

_STATEMENTS = (
    "ALTER TABLE artifacts ADD COLUMN app VARCHAR NOT NULL DEFAULT ''",
    "ALTER TABLE artifacts ADD COLUMN regime VARCHAR NOT NULL DEFAULT ''",
    "ALTER TABLE artifacts ADD COLUMN verdict VARCHAR NOT NULL DEFAULT 'allow'",
    """CREATE TABLE flags (
        artifact_id VARCHAR NOT NULL REFERENCES artifacts (id),
        check_name VARCHAR NOT NULL,
        stage VARCHAR NOT NULL,
        action VARCHAR NOT NULL,
        PRIMARY KEY (artifact_id, check_name, stage)
    )""",
    "CREATE INDEX flags_by_check ON flags (check_name, artifact_id)",
    f"""UPDATE artifacts SET regime = coalesce(
        (SELECT json_extract({_BODY}, '$.regime') FROM manifests WHERE artifact_id = artifacts.id), '')""",  # noqa: S608
    f"""INSERT OR IGNORE INTO flags (artifact_id, check_name, stage, action)
        SELECT artifact_id, json_extract(value, '$.check'), json_extract(value, '$.stage'),
            json_extract(value, '$.action') AS action
        FROM manifests, json_each({_BODY}, '$.verdicts')
        WHERE action IN ('flag', 'redact', 'block') ORDER BY {_RANK} DESC""",  # noqa: S608
    f"""UPDATE artifacts SET verdict = coalesce(
        (SELECT action FROM flags WHERE artifact_id = artifacts.id ORDER BY {_RANK} DESC LIMIT 1), 'allow')""",  # noqa: S608
    "CREATE INDEX artifacts_by_model ON artifacts (model, id)",
    "CREATE INDEX artifacts_by_app ON artifacts (app, id)",
    "CREATE INDEX artifacts_by_verdict ON artifacts (verdict, id)",
    """CREATE TABLE collections (
        id VARCHAR NOT NULL PRIMARY KEY,
        name VARCHAR NOT NULL,
        owner VARCHAR NOT NULL,
        created_at VARCHAR NOT NULL
    )""",
    "CREATE INDEX collections_by_owner ON collections (owner, id)",
    """CREATE TABLE collected (
        collection_id VARCHAR NOT NULL REFERENCES collections (id),
        artifact_id VARCHAR NOT NULL REFERENCES artifacts (id),
        PRIMARY KEY (collection_id, artifact_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX collected_by_artifact ON collected (artifact_id)",
    """CREATE TABLE vectors (
        model VARCHAR NOT NULL,
        sha256 VARCHAR NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (model, sha256)
    )""",
    "CREATE INDEX vectors_by_content ON vectors (sha256)",
    """CREATE TABLE erasures (
        sha256 VARCHAR NOT NULL PRIMARY KEY
    )""",
    # They were made while a result was being made; the same is now in `vectors`, made when somebody searches.
    "DELETE FROM fingerprints WHERE kind = 'meaning'",
)


def upgrade() -> None:
    """Adds the columns and tables, and fills the columns from the manifests that are here."""
    for statement in _STATEMENTS:
        op.execute(statement)
