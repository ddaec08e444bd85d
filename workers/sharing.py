"""A worker that has time helps to embed what a job of another worker needs."""

import threading
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import withhold
from app.db.tables import Job
from app.embeddings import parts
from app.errors import Unavailable
from app.jobs import ledger
from app.resources import Resources
from workers.runner import Runner

log = structlog.get_logger("roost.sharing")
LOOK_EVERY_S = 1.0


class Sharing(threading.Thread):
    """Looks every second for parts that nobody has taken. One helper at a time: its engine uses every core."""

    def __init__(self, resources: Resources, runner: Runner, queues: list[str]) -> None:
        super().__init__(name="sharing", daemon=True)
        self.resources, self.runner, self.queues = resources, runner, queues
        self.stopping = threading.Event()

    def run(self) -> None:
        pause = LOOK_EVERY_S
        while not self.stopping.wait(pause):
            pause = LOOK_EVERY_S
            try:
                if self.runner.has_time() and not self.help():
                    pause = self.resources.settings.lease_s  # this worker is no help: do not try at once again
            except (SQLAlchemyError, OSError, Unavailable) as error:  # database or storage
                log.warning("looking for work to share failed; the next round tries again", error=repr(error))

    def help(self) -> bool:
        """Run a helper to its end, where one is worth it; False when one was and did not succeed."""
        taken = self._helper()
        if taken is None:
            return True
        self.runner.go_on(*taken)
        with self.resources.database.reading() as session:
            return session.get_one(Job, taken[0]).state == "succeeded"

    def stop(self) -> None:
        self.stopping.set()
        self.join()

    def _helper(self) -> tuple[UUID, int] | None:
        """A new helper job, claimed already, so that it needs no message and no other worker takes it; its attempt."""
        worker, lease_s = self.runner.worker, self.resources.settings.lease_s
        with self.resources.database.reading() as session:  # every second: without a write where there is nothing to do
            if parts.worth_helping(session, worker, self.queues) is None:
                return None
        with self.resources.database.transaction() as session:
            found = parts.worth_helping(session, worker, self.queues)
            if found is None:
                return None
            set_id, leader = found
            params = {"set": str(set_id), "job": str(leader.id)}
            # Of no collection: a collection's jobs are those that somebody asked for.
            job = ledger.submit(
                session, "embed", collection_id=None, params=params, request_id=leader.request_id, queue=leader.queue
            )
            job.owner_id = leader.owner_id
            session.flush()
            withhold(session, job.id)
            attempt = ledger.claim(session, job.id, worker, lease_s)
        return (job.id, attempt) if attempt else None
