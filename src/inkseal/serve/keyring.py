"""Finds the caller of a key or a session, fresh from the records each time, so that a revoked key is dead at once."""

import hmac
import sqlite3
from datetime import UTC, datetime, timedelta

from inkseal.core.clock import steady
from inkseal.serve.callers import Caller, Limits
from inkseal.serve.keys import PREFIX, digest
from inkseal.store import schema
from inkseal.store.store import Store

MAX_KEY_CHARS = 200
CLOCK_SLACK_SECONDS = 300
"""So much may a clock have been put right between two starts of the server without anybody's session ending."""
_NOBODY = digest("")
_COLUMNS = "k.id, k.name, k.role, k.owner, k.sha256, k.requests_per_minute, k.tokens_per_day, k.max_running"


class Keyring:
    """Asks the database directly: one indexed row, a few hundredths of a millisecond. For one thread."""

    def __init__(self, store: Store, session_seconds: int = 12 * 3600) -> None:
        """Takes how long a session lasts: one that claims to last longer is of a time when the clock was wrong."""
        self._session_seconds = session_seconds
        self._connection = schema.connect(store.database)
        self._connection.execute("PRAGMA query_only = ON")

    def any(self) -> bool:
        """True once a key was ever made; a revoked one counts, so that revoking the last opens nothing."""
        return self._connection.execute("SELECT 1 FROM access_keys LIMIT 1").fetchone() is not None

    def caller_of_key(self, text: str) -> Caller | None:
        """Returns the holder of a key, or None."""
        pieces = text.split("-", 2)
        known = len(text) <= MAX_KEY_CHARS and len(pieces) == 3 and pieces[0] == PREFIX
        row = None
        if known:
            query = f"SELECT {_COLUMNS} FROM access_keys k WHERE k.id = ? AND k.revoked_at IS NULL"  # noqa: S608
            row = self._connection.execute(query, (pieces[1],)).fetchone()
        # Compared in any case, in a time that does not tell how much of it was right.
        same = hmac.compare_digest(digest(text[: MAX_KEY_CHARS + 1]), row[4] if row else _NOBODY)
        return _caller(row) if row and same else None

    def caller_of_session(self, token: str) -> Caller | None:
        """Returns the holder of the key that a session was given for, while both last."""
        if not token or len(token) > MAX_KEY_CHARS:
            return None
        query = (
            f"SELECT {_COLUMNS} FROM access_sessions s JOIN access_keys k ON k.id = s.key_id"  # noqa: S608
            " WHERE s.sha256 = ? AND s.expires_at > ? AND s.expires_at <= ? AND k.revoked_at IS NULL"
        )
        moment = steady()
        ends = (moment, moment + timedelta(seconds=self._session_seconds + CLOCK_SLACK_SECONDS))
        row = self._connection.execute(query, (digest(token), *map(_text, ends))).fetchone()
        return _caller(row) if row else None

    def tokens_today(self, owner: str) -> int:
        """Returns how many tokens, of prompts and answers, the runs of an owner took on this day of UTC.

        Only on this day: runs of a time when the clock was ahead would else count until that day is over.
        """
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        query = (
            "SELECT sum(json_extract(usage, '$.prompt_tokens') + json_extract(usage, '$.completion_tokens'))"
            " FROM runs WHERE owner = ? AND started_at >= ? AND started_at < ? AND usage IS NOT NULL"
        )
        day = map(_text, (midnight, midnight + timedelta(days=1)))
        return int(self._connection.execute(query, (owner, *day)).fetchone()[0] or 0)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _caller(row: sqlite3.Row | tuple[object, ...]) -> Caller:
    key_id, name, role, owner, _, requests, tokens, running = row
    limits = Limits.model_validate({"requests_per_minute": requests, "tokens_per_day": tokens, "max_running": running})
    return Caller.model_validate({"key_id": key_id, "name": name, "role": role, "owner": owner, "limits": limits})
