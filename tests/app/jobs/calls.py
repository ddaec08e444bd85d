"""Short words for what tests do to a ledger."""

from datetime import timedelta
from uuid import UUID

from app.db.session import Database
from app.db.tables import Job
from app.jobs import ledger


def submit(database: Database, lock: str | None = None) -> UUID:
    with database.transaction() as session:
        return ledger.submit(session, "test", collection_id=None, params={}, lock=lock).id


def claim(database: Database, job_id: UUID, worker: str = "w", lease_s: float = 60) -> int | None:
    with database.transaction() as session:
        return ledger.claim(session, job_id, worker, lease_s)


def state(database: Database, job_id: UUID) -> str:
    with database.reading() as session:
        return session.get_one(Job, job_id).state


def crash(database: Database, job_id: UUID, attempt: int) -> None:
    with database.transaction() as session:
        ledger.settle_crash(session, job_id, attempt, "It ended with SIGSEGV")


def postpone(database: Database, job_id: UUID, attempt: int, longest_s: float = 3600) -> None:
    with database.transaction() as session:
        ledger.postpone(session, job_id, attempt, "storage_full", "The disk is full.", longest_s)


def moved(database: Database, job_id: UUID, seconds: float) -> None:
    """As if so much time had passed for the job."""
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        job.not_before = job.not_before and job.not_before - timedelta(seconds=seconds)
