"""Browser sessions: a key is exchanged for a random cookie, which dies with the key."""

import secrets
from datetime import datetime, timedelta

from inkseal.core.clock import steady
from inkseal.serve.keys import digest
from inkseal.store.store import Store

COOKIE = "inkseal_session"


def begin(store: Store, key_id: str, seconds: int) -> tuple[str, datetime]:
    """Makes a session of a key; returns the cookie's value, kept nowhere, and when it ends. Clears away what ended."""
    from sqlalchemy import delete

    from inkseal.store.records import SessionRow

    token = secrets.token_urlsafe(32)
    moment = steady()
    ends = moment + timedelta(seconds=seconds)
    with store.shared_transaction() as session:
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= moment))
        session.add(SessionRow(sha256=digest(token), key_id=key_id, expires_at=ends))
    return token, ends


def end(store: Store, token: str) -> None:
    """Ends a session; harmless when there is none."""
    from sqlalchemy import delete

    from inkseal.store.records import SessionRow

    with store.shared_transaction() as session:
        session.execute(delete(SessionRow).where(SessionRow.sha256 == digest(token)))
