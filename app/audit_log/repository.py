"""Queries on the audit log."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import AuditRecord
from app.ids import first_id
from app.pagination import Paging, page

FORGOTTEN_AT_ONCE = 500  # rows a transaction: others must not wait for long


def listed(
    session: Session, paging: Paging, *, action: str | None, since: datetime | None, owner_id: UUID | None
) -> tuple[list[AuditRecord], str | None]:
    query = select(AuditRecord)
    if action:
        query = query.where(AuditRecord.action == action)
    if since:
        query = query.where(AuditRecord.id >= first_id(since))
    if owner_id:
        query = query.where(AuditRecord.owner_id == owner_id)
    return page(session, query, paging, AuditRecord.id, value=lambda row: [row.id], descending=True)


def forget(session: Session, days: int) -> int:
    """Remove the oldest of the records that are older than this; how many they were."""
    bound = first_id(now(session) - timedelta(days=days))
    oldest = select(AuditRecord.id).where(AuditRecord.id < bound).order_by(AuditRecord.id).limit(FORGOTTEN_AT_ONCE)
    if not (old := list(session.scalars(oldest))):
        return 0
    session.execute(delete(AuditRecord).where(AuditRecord.id.in_(old)))
    return len(old)
