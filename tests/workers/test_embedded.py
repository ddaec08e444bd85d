"""The worker that lives in the serving process."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from celery.concurrency.thread import TaskPool
from celery.worker.consumer import Consumer

from app import readiness
from app.db.migrate import migrate
from app.db.session import Database
from app.jobs import ledger
from app.metrics import workers
from app.resources import Resources
from app.settings import Settings
from tests.fixtures.services import Service, environment
from tests.fixtures.watching import wait_for
from workers.celery_app import embedded


def test_a_queued_job_whose_message_died_with_the_process_runs_at_once(tmp_path: Path) -> None:
    """Not only once the reconciler thinks its message lost, which here it never does."""
    data = tmp_path / "data"
    data.mkdir()
    mute = Database(Settings(data=data).resolved_database_url)
    migrate(mute)
    with mute.transaction() as session:
        job_id = ledger.submit(session, "sweep", collection_id=None, params={"prefixes": ["nothing"]}).id
    mute.close()
    service = Service(data, environment(data, ROOST_RECONCILE_S="3600")).start()
    assert service.job(str(job_id))["state"] == "succeeded"
    assert service.stop() == [0]


def test_a_worker_that_ended_by_itself_makes_the_service_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that says it is alive is another than that which takes jobs."""
    ends = threading.Event()

    def start(self: Consumer) -> None:
        ends.wait()
        raise RuntimeError("nobody foresaw it")

    job_has_ended = threading.Event()  # until then the thread lives on
    monkeypatch.setattr(Consumer, "start", start)
    monkeypatch.setattr(TaskPool, "on_stop", lambda self: job_has_ended.wait())
    monkeypatch.setattr(workers, "silence", lambda settings: timedelta(seconds=1))
    resources = Resources.open(Settings(data=tmp_path / "data", reconcile_s=0.1))
    migrate(resources.database)
    try:
        with embedded(resources):
            wait_for(lambda: readiness._worker(resources))
            ends.set()
            wait_for(lambda: not readiness._worker(resources))
            job_has_ended.set()
    finally:
        job_has_ended.set()
        resources.close()
