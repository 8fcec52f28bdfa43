"""The audit log: who did what with which key. Never what was said, and never a key's secret."""

from datetime import datetime

from inkseal.core.types import Closed, now
from inkseal.store.store import Store


class AuditEntry(Closed):
    """One deed."""

    number: int
    created_at: datetime
    key_id: str
    action: str
    subject: str = ""
    request_id: str = ""


def note(store: Store, key_id: str, action: str, subject: str = "", request_id: str = "") -> None:
    """Records a deed."""
    from inkseal.store.records import AuditRow

    with store.shared_transaction() as session:
        session.add(
            AuditRow(created_at=now(), key_id=key_id, action=action, subject=subject[:200], request_id=request_id)
        )


def entries(store: Store, *, after: int = 0, limit: int = 100) -> list[AuditEntry]:
    """Returns deeds in order."""
    from sqlalchemy import select

    from inkseal.store.records import AuditRow

    query = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number).limit(limit)
    with store.reading() as session:
        return [
            AuditEntry(**{name: getattr(row, name) for name in AuditEntry.model_fields})
            for row in session.scalars(query)
        ]
