"""Which step of its app an artifact answers, so that lists can show results alone."""

from alembic import op

revision = "v0006"
down_revision = "v0005"

# A body that somebody damaged is no JSON any more; it must not keep everybody else's records from being upgraded.
_BODY = "(CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) ELSE '{}' END)"

_STATEMENTS = (
    "ALTER TABLE artifacts ADD COLUMN step VARCHAR NOT NULL DEFAULT ''",
    f"""UPDATE artifacts SET step = coalesce(
        (SELECT json_extract({_BODY}, '$.app.step') FROM manifests WHERE artifact_id = artifacts.id), '')""",  # noqa: S608
    "UPDATE artifacts SET step = '' WHERE step = 'result'",
)


def upgrade() -> None:
    """Adds the column, and fills it from the manifests that are here."""
    for statement in _STATEMENTS:
        op.execute(statement)
