"""What a job sees of the world: its row, the session, the storage, a scratch folder, progress and cancel."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app import tracing
from app.db.tables import Job
from app.failpoints import reached
from app.jobs import ledger
from app.resources import Resources

REPORT_EVERY_S = 0.5


class JobFailed(Exception):
    """The job can't succeed, and a person can know why: a stable code and a sentence that says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Stopped(Exception):
    """Somebody asked this process to stop: a person who cancels, or a worker that shuts down."""


class Crashed(Exception):
    """A process that the job had started died: the attempt ends as if the job's own had, and another one follows."""


class Context:
    def __init__(self, resources: Resources, job: Job, folder: Path) -> None:
        """`folder` is this attempt's own: nothing in it is seen by anyone before it is published."""
        self.resources = resources
        self.settings = resources.settings
        self.database = resources.database
        self.storage = resources.storage
        self.job = job
        self.folder = folder
        self.stop = threading.Event()
        self._reported: tuple[str, float] = ("", 0.0)
        self._stage = ""

    def progress(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Show how far the job is, at most twice a second. Raises Stopped, LeaseLost."""
        self.check()
        moment = time.monotonic()
        if self._reported[0] == stage and moment - self._reported[1] < REPORT_EVERY_S:
            return
        self._reported = stage, moment
        with self.database.transaction() as session:
            self._note(session, stage, done, total, unit)
        self.check()

    @contextmanager
    def step(
        self, stage: str, done: int, total: int | None, unit: str, advances: Callable[[], bool] = lambda: True
    ) -> Iterator[Session]:
        """One transaction of results that a crash no longer takes back, published only if the job is still ours.

        `advances`, asked at its end: whether the job has now what an earlier attempt had not. One that only repeats
        itself would never be given up, however often its process dies.
        """
        with self.database.transaction() as session:
            yield session
            self._note(session, stage, done, total, unit, step=True, advanced=advances())
        self._reported = stage, time.monotonic()
        self.check()

    @contextmanager
    def succeed(self, result: dict[str, Any], report_key: str | None = None) -> Iterator[Session]:
        """The last transaction: results and the end of the job, all or nothing."""
        with self.database.transaction() as session:
            yield session
            ledger.finish(session, self.job.id, self.job.attempt, "succeeded", result=result)
            if report_key:
                ledger.attach_report(session, self.job.id, self.job.attempt, report_key)
            reached("job.finishing")
        reached("job.finished")

    def keep_report(self, key: str) -> None:
        """Show the report of a job that is about to fail."""
        with self.database.transaction() as session:
            ledger.attach_report(session, self.job.id, self.job.attempt, key)

    def drop_unpublished(self, folder: str, published: set[str]) -> None:
        """Remove what a killed attempt stored below `folder` but never published: files, or folders of files.

        Safe only while the job's lock keeps every other writer of the folder away.
        """
        for key in list(self.storage.keys(folder)):
            if key not in published and key.rpartition("/")[0] not in published:
                self.storage.delete(key)

    def check(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def _note(self, session: Session, stage: str, done: int, total: int | None, unit: str, **how: bool) -> None:
        if stage != self._stage:
            self._stage = stage
            tracing.note_stage(stage)
        job = self.job
        cancel = ledger.progress(session, job.id, job.attempt, stage=stage, done=done, total=total, unit=unit, **how)
        if cancel:
            self.stop.set()
