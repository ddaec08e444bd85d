"""Queued jobs whose turn may have come. Those that wait for an outage to end are not to be taken before a moment."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.db.session import announce, now
from app.db.tables import Job

ANNOUNCED_AT_ONCE = 100


def due(moment: datetime) -> ColumnElement[bool]:
    return or_(Job.not_before.is_(None), Job.not_before <= moment)


def queued(session: Session, queue: str) -> int:
    """How many jobs a worker could take."""
    waiting = Job.state == "queued", Job.queue == queue, due(now(session))
    return int(session.scalar(select(func.count()).where(*waiting)) or 0)


def announce_unseen(session: Session, queue: str, older_than: timedelta, limit: int = ANNOUNCED_AT_ONCE) -> None:
    """Announce queued jobs again, oldest first, that nobody has taken for a while: their message may be lost."""
    moment = now(session)
    stale = or_(Job.published_at.is_(None), Job.published_at < moment - older_than)
    waiting = select(Job).where(Job.state == "queued", Job.queue == queue, due(moment), stale).order_by(Job.id)
    for job in session.scalars(waiting.limit(min(limit, ANNOUNCED_AT_ONCE))):
        job.published_at = moment
        announce(session, job.id, job.queue)
