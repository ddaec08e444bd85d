"""The worker that lives in the serving process."""

from pathlib import Path

from app.db.migrate import migrate
from app.db.session import Database
from app.jobs import ledger
from app.settings import Settings
from tests.fixtures.services import Service, environment


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
