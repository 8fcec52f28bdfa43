"""Conversations of the web studio and their turns."""

from alembic import op

revision = "v0004"
down_revision = "v0003"

_STATEMENTS = (
    """CREATE TABLE conversations (
        id VARCHAR NOT NULL PRIMARY KEY,
        owner VARCHAR NOT NULL,
        title VARCHAR NOT NULL,
        settings VARCHAR NOT NULL,
        created_at VARCHAR NOT NULL,
        updated_at VARCHAR NOT NULL
    )""",
    "CREATE INDEX conversations_by_owner ON conversations (owner, updated_at)",
    """CREATE TABLE turns (
        conversation_id VARCHAR NOT NULL REFERENCES conversations (id),
        id VARCHAR NOT NULL,
        body VARCHAR NOT NULL,
        PRIMARY KEY (conversation_id, id)
    )""",
)


def upgrade() -> None:
    """Adds the two tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
