"""Queued jobs whose turn it is: not those that wait for an outage to end, nor those behind another of their lock."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session

from app.db.session import announce, now
from app.db.tables import Job

ANNOUNCED_AT_ONCE = 100


def due(moment: datetime) -> ColumnElement[bool]:
    return or_(Job.not_before.is_(None), Job.not_before <= moment)


def in_line() -> Subquery:
    """(id, place): the place of each unfinished job among those of its lock, 1 for who runs or is to run next."""
    line = func.row_number().over(partition_by=Job.lock, order_by=(Job.state == "queued", Job.id))
    return select(Job.id, line.label("place")).where(Job.state.in_(("queued", "running"))).subquery()


def queued(session: Session, queue: str) -> int:
    """How many jobs a worker could take."""
    line = in_line()
    query = select(func.count()).select_from(Job).join(line, line.c.id == Job.id)
    return int(session.scalar(query.where(*_ready(session, queue), line.c.place == 1)) or 0)


def announce_unseen(session: Session, queue: str, older_than: timedelta, limit: int = ANNOUNCED_AT_ONCE) -> None:
    """Announce queued jobs again, oldest first, that nobody has taken for a while: their message may be lost."""
    moment = now(session)
    stale = or_(Job.published_at.is_(None), Job.published_at < moment - older_than)
    line = in_line()
    unseen = select(Job).join(line, line.c.id == Job.id).where(*_ready(session, queue), line.c.place == 1, stale)
    for job in session.scalars(unseen.order_by(Job.id).limit(min(limit, ANNOUNCED_AT_ONCE))):
        job.published_at = moment
        announce(session, job.id, job.queue)


def _ready(session: Session, queue: str) -> tuple[ColumnElement[bool], ...]:
    return Job.state == "queued", Job.queue == queue, due(now(session))
