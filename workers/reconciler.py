"""Finds what was lost between the ledger and the workers, and sets it going again."""

import threading
from datetime import timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import now
from app.db.tables import IdempotencyKey, Job, Worker
from app.errors import Unavailable
from app.jobs import ledger
from app.resources import Resources

log = structlog.get_logger("roost.reconciler")
REPUBLISH_AFTER = timedelta(seconds=15)
FORGET_WORKERS_AFTER = timedelta(minutes=10)
FORGET_KEYS_AFTER = timedelta(days=1)


class Reconciler(threading.Thread):
    """Every few seconds: this worker is alive; expired leases are taken over; unseen jobs are announced again."""

    def __init__(self, resources: Resources, worker: str, queues: list[str]) -> None:
        super().__init__(name="reconciler", daemon=True)
        self.resources, self.worker, self.queues = resources, worker, queues
        self.stopping = threading.Event()

    def run(self) -> None:
        while True:
            try:
                self.tick()
            except (SQLAlchemyError, OSError, Unavailable) as error:  # database or storage
                log.warning("reconciling failed; the next round tries again", error=repr(error))
            if self.stopping.wait(self.resources.settings.reconcile_s):
                return

    def tick(self) -> None:
        with self.resources.database.transaction() as session:
            moment = now(session)
            session.merge(Worker(name=self.worker, queues=",".join(self.queues), seen_at=moment))
            session.execute(delete(Worker).where(Worker.seen_at < moment - FORGET_WORKERS_AFTER))
            session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < moment - FORGET_KEYS_AFTER))
            for job_id in ledger.reclaim(session):
                log.warning("took over a job whose lease ran out", job_id=str(job_id))
            ledger.announce_unseen(session, REPUBLISH_AFTER)
        self._drop_inputs()

    def _drop_inputs(self) -> None:
        """Remove the archives of jobs that are over. The blob goes first: forgotten is only what is gone."""
        with self.resources.database.transaction() as session:
            over = select(Job).where(Job.input_key.is_not(None), Job.state.in_(ledger.FINAL)).limit(20)
            for job in session.scalars(over):
                self.resources.storage.delete(str(job.input_key))
                job.input_key = None

    def stop(self) -> None:
        self.stopping.set()
        self.join()
        with self.resources.database.transaction() as session:
            session.execute(delete(Worker).where(Worker.name == self.worker))
