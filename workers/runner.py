"""Runs one heavy job in its own process: a real kill, real limits, and all memory given back at the end."""

import os
import signal
import subprocess
import sys
import threading
import time
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.tables import Job
from app.jobs import ledger
from app.resources import Resources
from workers.child import EXIT_LEASE_LOST, EXIT_STOPPED

log = structlog.get_logger("roost.runner")
KILL_AFTER_S = 10.0  # between asking a job to stop and killing it
LOOK_EVERY_S = 1.0  # how often a person's wish to cancel is looked for


class Runner:
    """Claims jobs in the name of one worker, and watches over the process of each."""

    def __init__(self, resources: Resources, worker: str) -> None:
        self.resources = resources
        self.worker = worker
        self.draining = threading.Event()

    def run(self, job_id: UUID) -> None:
        """Claim and run the job, unless it is taken, done, or waits for another. Returns when its process has ended."""
        if self.draining.is_set():
            return
        with self.resources.database.transaction() as session:
            attempt = ledger.claim(session, job_id, self.worker, self.resources.settings.lease_s)
        if attempt is None:
            return
        log.info("job started", job_id=str(job_id), attempt=attempt)
        watch = _Watch(self, job_id, attempt)
        code = watch.until_exit()
        self._settle(job_id, attempt, code, watch)
        with self.resources.database.transaction() as session:
            ledger.wake_next(session, job_id)
        log.info("job process ended", job_id=str(job_id), attempt=attempt, exit_code=code)

    def _settle(self, job_id: UUID, attempt: int, code: int, watch: "_Watch") -> None:
        """Write down how the process ended, where it could not do so itself."""
        if code in (0, EXIT_LEASE_LOST) or watch.lost:
            return
        with self.resources.database.transaction() as session:
            job = session.get(Job, job_id)
            if job and job.cancel_requested:
                _cancelled(session, job_id, attempt)
            elif code == EXIT_STOPPED or self.draining.is_set():
                ledger.release(session, job_id, attempt)
            else:
                reason = f"The job's process ended with {_name(code)}"
                killed = code == -signal.SIGKILL
                ledger.settle_crash(session, job_id, attempt, reason, code="out_of_memory" if killed else "job_crashed")


def _cancelled(session: Session, job_id: UUID, attempt: int) -> None:
    try:
        ledger.finish(session, job_id, attempt, "cancelled")
    except ledger.LeaseLost:
        log.info("the job ended before it could be cancelled", job_id=str(job_id))


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class _Watch:
    """One child process: heartbeat while it lives, stop it when asked, kill it when it does not listen."""

    def __init__(self, runner: Runner, job_id: UUID, attempt: int) -> None:
        self.runner, self.job_id, self.attempt = runner, job_id, attempt
        self.settings = runner.resources.settings
        self.lost = False
        self.asked_at: float | None = None
        self.renewed_at = self.looked_at = time.monotonic()
        # The pipe to stdin is never written to: when this process dies, it closes, and the child ends itself.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.child", str(job_id), str(attempt)],
            stdin=subprocess.PIPE,
            env=self.settings.environment(),
            start_new_session=True,
        )

    def until_exit(self) -> int:
        while True:
            try:
                return self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                self._look(time.monotonic())

    def _look(self, moment: float) -> None:
        if moment - self.looked_at >= LOOK_EVERY_S:
            self.looked_at = moment
            self._renew(moment)
        if self.lost or (self.asked_at and moment - self.asked_at > KILL_AFTER_S):
            self._signal_group(signal.SIGKILL)
        elif self.runner.draining.is_set():
            self._ask(moment)

    def _renew(self, moment: float) -> None:
        """Renew the lease when it is time; learn whether to cancel. Without a database for a whole lease, give up."""
        database = self.runner.resources.database
        try:
            if moment - self.renewed_at >= self.settings.heartbeat_s:
                with database.transaction() as session:
                    cancel = ledger.heartbeat(session, self.job_id, self.attempt, self.settings.lease_s)
                self.renewed_at = moment
            else:
                with database.reading() as session:
                    job = session.get(Job, self.job_id)
                    cancel = bool(job and job.cancel_requested)
        except ledger.LeaseLost:
            self.lost = self.process.poll() is None
        except OperationalError as error:
            log.warning("heartbeat failed", job_id=str(self.job_id), error=str(error.orig))
            self.lost = moment - self.renewed_at > self.settings.lease_s
        else:
            if cancel:
                self._ask(moment)

    def _ask(self, moment: float) -> None:
        if self.asked_at is None:
            self.asked_at = moment
            self.process.send_signal(signal.SIGTERM)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
