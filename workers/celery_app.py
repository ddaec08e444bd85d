"""Celery, as a worker sees it: it takes a job's id from a queue and hands it to the runner."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from celery import Celery, signals
from celery.bootsteps import RUN

from app.jobs import ledger, waiting
from app.jobs.queue import QUEUES, TASK, celery_app
from app.resources import Resources
from workers.broker import outlive_broken_connections
from workers.reconciler import Reconciler
from workers.runner import Runner
from workers.sharing import Sharing

log = structlog.get_logger("roost.worker")
EMBEDDED = "embedded"  # one fixed name: the data folder's lock lets only one process bear it


def _application(resources: Resources, runner: Runner) -> Celery:
    outlive_broken_connections()
    app = celery_app(resources.settings)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def run(job_id: str) -> None:
        runner.run(UUID(job_id))

    return app


@contextmanager
def embedded(resources: Resources) -> Iterator[None]:
    """A worker in threads of this process. What a killed predecessor left running is queued again at once."""
    runner = Runner(resources, EMBEDDED)
    with resources.database.transaction() as session:
        for job_id in ledger.reclaim(session, worker=EMBEDDED):
            log.warning("went back to a job that a lost process had begun", job_id=str(job_id))
        for queue in QUEUES:
            waiting.announce_unseen(session, queue, timedelta(0))  # memory:// forgot every message
    resources.clear_scratch()
    app = _application(resources, runner)
    controller = app.WorkController(
        hostname=EMBEDDED,
        pool="threads",
        queues=list(QUEUES),
        concurrency=resources.settings.concurrency,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
    )
    thread = threading.Thread(target=controller.start, name="celery", daemon=True)
    thread.start()

    def takes_jobs() -> bool:
        """One whose consumer died lives on until its running jobs have ended."""
        return runner.draining.is_set() or (thread.is_alive() and controller.blueprint.state in (None, RUN))

    reconciler = Reconciler(resources, EMBEDDED, list(QUEUES), takes_jobs)
    reconciler.start()
    try:
        yield
    finally:
        runner.draining.set()
        controller.stop()
        thread.join(resources.settings.drain_s)
        reconciler.stop()


def serve_queues(resources: Resources, queues: list[str]) -> None:
    """A worker that is this whole process, until SIGTERM: then its jobs hand back, and others take them."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    runner = Runner(resources, name)
    threads: list[Reconciler | Sharing] = [Reconciler(resources, name, queues), Sharing(resources, runner, queues)]

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def drain(**_: object) -> None:
        runner.draining.set()

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def announce(**_: object) -> None:  # not before: only now does a SIGTERM drain instead of killing
        for thread in threads:
            thread.start()

    app = _application(resources, runner)
    try:
        app.Worker(
            hostname=name,
            pool="threads",
            queues=queues,
            concurrency=resources.settings.concurrency,
            without_gossip=True,
            without_mingle=True,
            loglevel="WARNING",
            optimization="fair",
        ).start()
    finally:
        for thread in threads:
            if thread.is_alive():
                thread.stop()
