"""Finds what was lost between the ledger and the workers, and sets it going again."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.audit_log import repository as audit_log
from app.db.session import now
from app.db.tables import IdempotencyKey, Job, Worker
from app.embeddings import parts
from app.errors import Unavailable
from app.failpoints import reached
from app.jobs import ledger, waiting
from app.jobs.queue import QUEUES
from app.resources import Resources
from app.uploads import repository as uploads_repository
from app.uploads import service as uploads

log = structlog.get_logger("roost.reconciler")
REPUBLISH_AFTER = timedelta(seconds=15)
FORGET_WORKERS_AFTER = timedelta(minutes=10)
FORGET_KEYS_AFTER = timedelta(days=1)


class Reconciler(threading.Thread):
    """Every few seconds: this worker is alive; expired leases are taken over; unseen jobs are announced again."""

    def __init__(
        self, resources: Resources, worker: str, queues: list[str], takes_jobs: Callable[[], bool] = lambda: True
    ) -> None:
        """`takes_jobs` says whether the worker still does: one that ended by itself is no live one."""
        super().__init__(name="reconciler", daemon=True)
        self.resources, self.worker, self.queues, self.takes_jobs = resources, worker, queues, takes_jobs
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
            if self.takes_jobs():
                session.merge(Worker(name=self.worker, queues=",".join(self.queues), seen_at=moment))
            else:
                log.error("this worker ended by itself and takes no more jobs; start it anew", worker=self.worker)
            session.execute(delete(Worker).where(Worker.seen_at < moment - FORGET_WORKERS_AFTER))
            session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < moment - FORGET_KEYS_AFTER))
            for job_id in ledger.reclaim(session):
                log.warning("took over a job whose lease ran out", job_id=str(job_id))
        with self.resources.database.transaction() as session:
            parts.forget_unneeded(session)
        self._announce_lost()
        self._drop_inputs()
        with self.resources.database.transaction() as session:
            audit_log.forget(session, self.resources.settings.audit_days)
        uploads.expire(self.resources)

    def _announce_lost(self) -> None:
        """As many jobs as the broker has too few messages of: one more for each that waits would only pile up there."""
        for queue in QUEUES:
            if (sent := self.resources.queue.waiting(queue)) is None:
                return
            with self.resources.database.transaction() as session:
                if (lost := waiting.queued(session, queue) - sent) > 0:
                    waiting.announce_unseen(session, queue, REPUBLISH_AFTER, lost)

    def _drop_inputs(self) -> None:
        """Remove the archives and pieces of jobs that are over. Blobs go first: forgotten is only what is gone."""
        with self.resources.database.reading() as session:
            over = select(Job.id, Job.input_key).where(Job.input_key.is_not(None), Job.state.in_(ledger.FINAL))
            found = session.execute(over.limit(20)).all()
        for job_id, key in found:  # outside of a transaction: a store may take its time with thousands of pieces
            self.resources.storage.delete(str(key))
            reached("reconciler.dropped")
            with self.resources.database.transaction() as session:
                session.execute(update(Job).where(Job.id == job_id).values(input_key=None))
                uploads_repository.forget_pieces(session, job_id)

    def stop(self) -> None:
        self.stopping.set()
        self.join()
        with self.resources.database.transaction() as session:
            session.execute(delete(Worker).where(Worker.name == self.worker))
