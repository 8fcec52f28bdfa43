"""Makes, lists, limits and revokes keys. A key is shown once; of its secret only the SHA-256 is kept.

The secret has 256 random bits, so that a plain hash cannot be searched through, and no salt is needed.
"""

import secrets
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.language import say
from inkseal.core.types import Closed, now
from inkseal.serve.callers import Limits, Role
from inkseal.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from inkseal.store.records import KeyRow

PREFIX = "ink"
MAX_NAME_CHARS = 80
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_CHARS = 10
_SECRET_BYTES = 32
_UNLIMITED = Limits()
BY_COMMAND_LINE = "local"


class Key(Closed):
    """What may be told of a key."""

    id: str
    name: str
    role: Role
    owner: str
    created_at: datetime
    revoked_at: datetime | None = None
    limits: Limits = Limits()


def digest(secret: str) -> str:
    """Returns what is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create(
    store: Store,
    name: str,
    role: Role,
    *,
    same_person_as: str = "",
    limits: Limits = _UNLIMITED,
    by: str = BY_COMMAND_LINE,
) -> tuple[Key, str]:
    """Makes a key; returns it with its text, which is kept nowhere.

    Args:
        store: may be open for reading only, beside a running server.
        name: for people to tell keys apart.
        role: what it may do.
        same_person_as: the id of a key whose things this one reaches as well.
        limits: what it may use up.
        by: the id of the key that asks for it.

    Raises:
        UnknownName: there is no key of that id.
        InvalidRequest: the name is empty or too long.
    """
    from inkseal.store.records import KeyRow

    if not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidRequest(say(f"{name[:80]!r} is no name for a key.", f"{name[:80]!r} 不能作为密钥名称。"))
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARS))
    text = f"{PREFIX}-{key_id}-{secrets.token_urlsafe(_SECRET_BYTES)}"
    with store.shared_transaction() as session:
        owner = _row(session, same_person_as).owner if same_person_as else key_id
        row = KeyRow(id=key_id, name=name, role=role, owner=owner, sha256=digest(text), created_at=now())
        for limit_name, value in limits.model_dump().items():
            setattr(row, limit_name, value)
        session.add(row)
        _note(session, by, "key_created", key_id)
        session.flush()
        return _key(row), text


def listed(store: Store) -> list[Key]:
    """Returns all keys, also revoked ones, oldest first."""
    from sqlalchemy import select

    from inkseal.store.records import KeyRow

    with store.reading() as session:
        return [_key(row) for row in session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))]


def revoke(store: Store, key_id: str, *, by: str = BY_COMMAND_LINE, keep_an_admin: bool = False) -> Key:
    """Ends a key and its sessions, at once and for good.

    Args:
        store: may be open for reading only, beside a running server.
        key_id: which.
        by: the id of the key that asks for it.
        keep_an_admin: refuse to end the last key that may make others.

    Raises:
        UnknownName: there is no such key.
        InvalidRequest: it is the last admin's.
    """
    from sqlalchemy import delete

    from inkseal.store.records import SessionRow

    with store.shared_transaction() as session:
        row = _row(session, key_id)
        if keep_an_admin and row.role == "admin" and row.revoked_at is None and not _other_admins(session, key_id):
            raise InvalidRequest(
                say("This is the last key of an admin.", "这是最后一个管理员密钥。"),
                fix=say(
                    "Make another first, or revoke it on the machine: inkseal keys revoke.",
                    "请先创建另一个，或在本机运行：inkseal keys revoke。",
                ),
            )
        row.revoked_at = row.revoked_at or now()
        session.execute(delete(SessionRow).where(SessionRow.key_id == key_id))
        _note(session, by, "key_revoked", key_id)
        return _key(row)


def limit(store: Store, key_id: str, limits: Limits, *, by: str = BY_COMMAND_LINE) -> Key:
    """Sets what a key may use up, all three limits anew.

    Raises:
        UnknownName: there is no such key.
    """
    with store.shared_transaction() as session:
        row = _row(session, key_id)
        for name, value in limits.model_dump().items():
            setattr(row, name, value)
        _note(session, by, "key_limited", key_id)
        return _key(row)


def _other_admins(session: "Session", key_id: str) -> bool:
    from sqlalchemy import select

    from inkseal.store.records import KeyRow

    query = select(KeyRow.id).where(KeyRow.role == "admin", KeyRow.revoked_at.is_(None), KeyRow.id != key_id)
    return session.scalars(query.limit(1)).first() is not None


def _note(session: "Session", key_id: str, action: str, subject: str) -> None:
    from inkseal.store.records import AuditRow

    session.add(AuditRow(created_at=now(), key_id=key_id, action=action, subject=subject))


def _row(session: "Session", key_id: str) -> "KeyRow":
    from sqlalchemy import select

    from inkseal.store.records import KeyRow

    found = session.get(KeyRow, key_id)
    if found is None:
        raise UnknownName("key", key_id, session.scalars(select(KeyRow.id)))
    return found


def _key(row: "KeyRow") -> Key:
    limits = Limits(
        requests_per_minute=row.requests_per_minute, tokens_per_day=row.tokens_per_day, max_running=row.max_running
    )
    facts = {name: getattr(row, name) for name in ("id", "name", "role", "owner", "created_at", "revoked_at")}
    return Key(**facts, limits=limits)
