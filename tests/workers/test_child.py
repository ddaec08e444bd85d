"""How the process of a job ends, seen from inside."""

from pathlib import Path

import pytest

import workers.jobs
from app.db.migrate import migrate
from app.db.tables import Job
from app.jobs import ledger
from app.resources import Resources
from app.settings import Settings
from workers import child
from workers.context import Context


def test_nothing_is_sent_where_nobody_can_hear_it(tmp_path: Path) -> None:
    for announcing in (True, False):
        resources = Resources.open(Settings(data=tmp_path / str(announcing)), announcing=announcing)
        migrate(resources.database)
        with resources.database.transaction() as session:
            ledger.submit(session, "ingest", collection_id=None, params={})
        assert (resources.queue._sender.ident is not None) is announcing
        resources.close()


def test_a_job_that_gets_no_memory_fails_with_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greedy.py").write_text("def run(context):\n    bytearray(2**62)\n")
    monkeypatch.setattr(workers.jobs, "__path__", [*workers.jobs.__path__, str(tmp_path)])
    resources = Resources.open(Settings(data=tmp_path / "data"))
    migrate(resources.database)
    with resources.database.transaction() as session:
        job_id = ledger.submit(session, "greedy", collection_id=None, params={}, queue="none").id
    with resources.database.transaction() as session:
        assert ledger.claim(session, job_id, "test", 600) == 1
    with resources.database.reading() as session:
        job = session.get_one(Job, job_id)
    assert child._run(Context(resources, job, tmp_path)) == 0
    with resources.database.reading() as session:
        ended = session.get_one(Job, job_id)
    assert (ended.state, ended.error_code) == ("failed", "out_of_memory") and ended.error_detail
    resources.close()
