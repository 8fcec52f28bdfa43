"""What the server keeps for a while: answers that are continued or repeated, each for its owner alone."""

from alembic import op

revision = "v0003"
down_revision = "v0002"

_STATEMENTS = (
    """CREATE TABLE kept (
        kind VARCHAR NOT NULL,
        owner VARCHAR NOT NULL,
        name VARCHAR NOT NULL,
        expires_at VARCHAR NOT NULL,
        size_bytes INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (kind, owner, name)
    )""",
    "CREATE INDEX kept_by_expiry ON kept (kind, expires_at)",
)


def upgrade() -> None:
    """Adds the table."""
    for statement in _STATEMENTS:
        op.execute(statement)
