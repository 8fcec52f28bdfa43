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


def entries(store: Store, *, after: int = 0, before: int | None = None, limit: int = 100) -> list[AuditEntry]:
    """Returns deeds in order, those after a number; or, with `before`, those before it, the last first."""
    from sqlalchemy import select

    from inkseal.store.records import AuditRow

    order = AuditRow.number if before is None else AuditRow.number.desc()
    query = select(AuditRow).where(AuditRow.number > after).order_by(order).limit(limit)
    if before is not None:
        query = query.where(AuditRow.number < before)
    with store.reading() as session:
        return [
            AuditEntry(**{name: getattr(row, name) for name in AuditEntry.model_fields})
            for row in session.scalars(query)
        ]
