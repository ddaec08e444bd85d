"""Runs one heavy job in its own process: a real kill, real limits, and all memory given back at the end."""

import signal
import threading
import time
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.full import database_full
from app.db.tables import Job
from app.failpoints import reached
from app.jobs import ledger
from app.resources import Resources
from workers.child import EXIT_LEASE_LOST, EXIT_NO_ROOM, EXIT_STOPPED
from workers.outages import FULL_DISK
from workers.process import JobProcess

log = structlog.get_logger("roost.runner")
KILL_AFTER_S = 10.0  # between asking a job to stop and killing it
LOOK_EVERY_S = 1.0  # how often a person's wish to cancel is looked for


class Runner:
    """Claims jobs in the name of one worker, and watches over the process of each."""

    def __init__(self, resources: Resources, worker: str) -> None:
        self.resources = resources
        self.worker = worker
        self.draining = threading.Event()
        self._running = 0
        self._counting = threading.Lock()

    def run(self, job_id: UUID) -> None:
        """Claim and run the job, unless it is taken, done, or waits for another. Returns when its process has ended."""
        if self.draining.is_set():
            return
        reached("runner.taken")
        with self.resources.database.transaction() as session:
            attempt = ledger.claim(session, job_id, self.worker, self.resources.settings.lease_s)
        if attempt is not None:
            self.go_on(job_id, attempt)

    def go_on(self, job_id: UUID, attempt: int) -> None:
        """Run a job that this worker has claimed. Returns when its process has ended."""
        with self._counting:
            self._running += 1
        try:
            self._go_on(job_id, attempt)
        finally:
            with self._counting:
                self._running -= 1

    def has_time(self) -> bool:
        """Whether fewer jobs run than may."""
        return self._running < self.resources.settings.concurrency and not self.draining.is_set()

    def _go_on(self, job_id: UUID, attempt: int) -> None:
        log.info("job started", job_id=str(job_id), attempt=attempt)
        reached("runner.claimed")
        watch = _Watch(self, job_id, attempt)
        reached("runner.started")
        code = watch.until_exit()
        reached("runner.exited")
        self._settle(job_id, attempt, code, watch)
        with self.resources.database.transaction() as session:
            ledger.wake_next(session, job_id)
        log.info("job process ended", job_id=str(job_id), attempt=attempt, exit_code=code)

    def _settle(self, job_id: UUID, attempt: int, code: int, watch: "_Watch") -> None:
        """Write down how the process ended, where it could not do so itself.

        A database that takes nothing is tried again, for as long as the lease may be ours; one that is full, until it
        has room, since nobody else can write either.
        """
        if code in (0, EXIT_LEASE_LOST) or watch.lost:
            return
        reached("runner.settling")
        until = time.monotonic() + self.resources.settings.lease_s
        while True:
            try:
                return self._write_down(job_id, attempt, code, watch)
            except ledger.LeaseLost:
                return
            except OperationalError as error:
                if not database_full(error) and time.monotonic() > until:
                    raise
                log.warning("the end of a job is not written down yet", job_id=str(job_id), error=str(error.orig))
            if self.draining.wait(LOOK_EVERY_S):
                return  # who starts next finds it running, by nobody

    def _write_down(self, job_id: UUID, attempt: int, code: int, watch: "_Watch") -> None:
        with self.resources.database.transaction() as session:
            job = session.get(Job, job_id)
            if job and job.cancel_requested:
                _cancelled(session, job_id, attempt)
            elif code == EXIT_STOPPED or self.draining.is_set():
                ledger.release(session, job_id, attempt)
            elif code == EXIT_NO_ROOM:
                FULL_DISK.postpone(session, job_id, attempt, self.resources.settings)
            else:
                reason, code_of_it = watch.reason(code)
                ledger.settle_crash(session, job_id, attempt, reason, code=code_of_it)


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
        self.lost = self.hangs = False
        self._version, self._moved_at = 0, time.monotonic()
        self.asked_at: float | None = None
        self.renewed_at = self.looked_at = time.monotonic()
        self.process = JobProcess(job_id, attempt, self.settings.environment())

    def until_exit(self) -> int:
        try:
            while (code := self.process.wait(0.1)) is None:
                self._look(time.monotonic())
            return code
        finally:
            self.process.end()  # it runs only where looking failed, and nobody would watch over it any more

    def _look(self, moment: float) -> None:
        if moment - self.looked_at >= LOOK_EVERY_S:
            self.looked_at = moment
            self._renew(moment)
        if self.lost or self.hangs or (self.asked_at and moment - self.asked_at > KILL_AFTER_S):
            self.process.kill()
        elif self.runner.draining.is_set():
            self._ask(moment)

    def _renew(self, moment: float) -> None:
        """Renew the lease when it is time; look at the job. Without a database for a whole lease, give up."""
        database = self.runner.resources.database
        try:
            if moment - self.renewed_at >= self.settings.heartbeat_s:
                reached("heartbeat.due")
                with database.transaction() as session:
                    ledger.heartbeat(session, self.job_id, self.attempt, self.settings.lease_s)
                self.renewed_at = moment
                reached("heartbeat.renewed")
            with database.reading() as session:
                job = session.get(Job, self.job_id)
        except ledger.LeaseLost:
            self.lost = self.process.wait(0) is None and not self._over(moment)
        except OperationalError as error:
            log.warning("heartbeat failed", job_id=str(self.job_id), error=str(error.orig))
            self.lost = moment - self.renewed_at > self.settings.lease_s
        else:
            self._heed(job, moment)

    def _heed(self, job: Job | None, moment: float) -> None:
        """A wish to cancel, and silence: a job's every word changes its version, and one that hangs kept its lease."""
        if job and job.cancel_requested:
            self._ask(moment)
        if job and job.version != self._version:
            self._version, self._moved_at = job.version, moment
        elif not self.hangs and moment - self._moved_at > self.settings.job_stall_s:
            self.hangs = True
            log.warning("the job makes no progress; its process is ended", job_id=str(self.job_id))

    def reason(self, exit_code: int) -> tuple[str, str]:
        """Why the process ended before the job did: a sentence without its stop, and a code."""
        if self.hangs:
            return f"The job made no progress for {self.settings.job_stall_s:.0f} s and was ended", "job_stalled"
        code = "out_of_memory" if exit_code == -signal.SIGKILL else "job_crashed"
        return f"The job's process ended with {_name(exit_code)}", code

    def _over(self, moment: float) -> bool:
        """Whether it is lost only because the job has ended: its process may still tidy up, for KILL_AFTER_S."""
        with self.runner.resources.database.reading() as session:
            job = session.get(Job, self.job_id)
        if job is None or job.state not in ledger.FINAL or job.attempt != self.attempt:
            return False
        self.asked_at = self.asked_at or moment
        return True

    def _ask(self, moment: float) -> None:
        if self.asked_at is None:
            self.asked_at = moment
            self.process.ask()
