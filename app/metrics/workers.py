"""Which queues have a worker that is alive."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Worker
from app.jobs.queue import QUEUES
from app.settings import Settings


def silence(settings: Settings) -> timedelta:
    """A worker that has said nothing for so long counts as gone: two missed rounds, 12 s by default."""
    return timedelta(seconds=max(6.0, 2 * settings.reconcile_s + 2))


def needed(settings: Settings) -> set[str]:
    """The queues that jobs go to."""
    return {"cpu", settings.embed_queue}


def alive(session: Session, settings: Settings) -> dict[str, int]:
    """Live workers of every queue."""
    counts = dict.fromkeys(QUEUES, 0)
    for queues in session.scalars(select(Worker.queues).where(Worker.seen_at > now(session) - silence(settings))):
        for queue in queues.split(","):
            counts[queue] += 1
    return counts
