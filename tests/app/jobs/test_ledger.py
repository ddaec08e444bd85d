"""The ledger on both databases: claims, leases, crashes, cancelling, order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db.session import Database, now
from app.db.tables import Job, JobStage
from app.jobs import ledger, stages
from tests.app.jobs.calls import claim, crash, state, submit


def test_a_message_goes_out_only_after_the_commit(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        ledger.submit(session, "test", collection_id=None, params={})
        raise RuntimeError
    assert database.announced == []  # type: ignore[attr-defined]
    job_id = submit(database)
    assert database.announced == [job_id]  # type: ignore[attr-defined]


def test_twenty_deliveries_give_one_claim(database: Database) -> None:
    job_id = submit(database)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: claim(database, job_id, f"w{n}"), range(20)))
    assert [c for c in claims if c is not None] == [1]


def test_jobs_with_one_lock_run_one_at_a_time_in_order(database: Database) -> None:
    first, second = submit(database, "gallery"), submit(database, "gallery")
    assert claim(database, second) is None, "its turn comes after the first"
    attempt = claim(database, first)
    assert attempt == 1 and claim(database, second) is None
    with database.transaction() as session:
        ledger.finish(session, first, attempt, "succeeded", result={})
    assert database.announced[-1] == second, "the next one is woken"  # type: ignore[attr-defined]
    assert claim(database, second) == 1


def test_many_workers_never_run_one_lock_twice_at_once(database: Database) -> None:
    jobs = [submit(database, "gallery") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda job_id: claim(database, job_id), jobs))
    assert claims == [1] + [None] * 5


def test_an_old_attempt_changes_nothing(database: Database) -> None:
    job_id = submit(database)
    old = claim(database, job_id)
    assert old
    crash(database, job_id, old)
    assert claim(database, job_id) == 2
    with pytest.raises(ledger.LeaseLost), database.transaction() as session:
        ledger.finish(session, job_id, old, "succeeded", result={"by": "a ghost"})
    with pytest.raises(ledger.LeaseLost), database.transaction() as session:
        ledger.progress(session, job_id, old, stage="x", done=1, total=2, unit=None)
    assert state(database, job_id) == "running"


def test_three_crashes_without_progress_are_death(database: Database) -> None:
    job_id = submit(database)
    for n in (1, 2, 3):
        attempt = claim(database, job_id)
        assert attempt == n
        crash(database, job_id, attempt)
    with database.reading() as session:
        job = session.get_one(Job, job_id)
    assert (job.state, job.error_code) == ("dead", "job_crashed")
    assert "SIGSEGV" in (job.error_detail or "")


def test_crashes_with_nothing_but_repetition_between_them_are_death(database: Database) -> None:
    job_id = submit(database)
    for _ in range(ledger.CRASHES_ALLOWED):
        attempt = claim(database, job_id)
        assert attempt
        with database.transaction() as session:
            ledger.progress(session, job_id, attempt, stage="unpack", done=32, total=99, unit=None, step=True)
        crash(database, job_id, attempt)
    assert state(database, job_id) == "dead"


def test_crashes_with_progress_between_them_never_kill(database: Database) -> None:
    job_id = submit(database)
    for n in range(12):
        attempt = claim(database, job_id)
        assert attempt
        with database.transaction() as session:
            ledger.progress(session, job_id, attempt, stage="embed", done=n, total=99, unit=None, advanced=True)
        crash(database, job_id, attempt)
    assert state(database, job_id) == "queued"


def test_a_lost_worker_counts_ten_times(database: Database) -> None:
    job_id = submit(database)
    for _ in range(9):
        assert claim(database, job_id, "serve")
        with database.transaction() as session:
            assert ledger.reclaim(session, worker="serve") == [job_id]
        assert state(database, job_id) == "queued"
    claim(database, job_id, "serve")
    with database.transaction() as session:
        ledger.reclaim(session, worker="serve")
    assert state(database, job_id) == "dead"


@pytest.mark.parametrize("kind", ["advanced", "step"])
def test_a_service_killed_twenty_times_never_ends_a_job_that_gets_on(database: Database, kind: str) -> None:
    """Nor one that must first repeat what it has done, such as the reading of an archive."""
    job_id = submit(database)
    for n in range(20):
        attempt = claim(database, job_id, "serve")
        assert attempt == n + 1
        with database.transaction() as session:
            ledger.progress(session, job_id, attempt, stage="embed", done=n, total=99, unit=None, **{kind: True})
        with database.transaction() as session:
            assert ledger.reclaim(session, worker="serve") == [job_id]
    assert state(database, job_id) == "queued"


def test_only_an_expired_lease_is_taken_over(database: Database) -> None:
    alive, expired = submit(database), submit(database)
    claim(database, alive, lease_s=60)
    claim(database, expired, lease_s=-1)
    with database.transaction() as session:
        assert ledger.reclaim(session) == [expired]
    assert (state(database, alive), state(database, expired)) == ("running", "queued")


def test_cancelling(database: Database) -> None:
    queued, running = submit(database), submit(database)
    attempt = claim(database, running)
    assert attempt
    for job_id in (queued, running):
        with database.transaction() as session:
            ledger.request_cancel(session, job_id)
    assert (state(database, queued), state(database, running)) == ("cancelled", "running")
    with database.transaction() as session:
        assert ledger.heartbeat(session, running, attempt, 60), "the worker learns of it"
        ledger.finish(session, running, attempt, "cancelled")
    assert state(database, running) == "cancelled"


def test_eta_follows_the_pace_of_the_stage(database: Database) -> None:
    job_id = submit(database)
    attempt = claim(database, job_id)
    assert attempt
    with database.transaction() as session:
        ledger.progress(session, job_id, attempt, stage="embed", done=100, total=300, unit="images")
    with database.transaction() as session:
        ledger.progress(session, job_id, attempt, stage="embed", done=200, total=300, unit="images")
        job = session.get_one(Job, job_id)
        assert job.stage_started_at
        assert stages.eta_s(job, job.stage_started_at + timedelta(seconds=10)) == 10.0
        assert now(session) >= job.stage_started_at


def test_the_seconds_of_stages_add_up_over_attempts(database: Database) -> None:
    def back(seconds: float) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, job_id)
            assert job.stage_started_at
            job.stage_started_at -= timedelta(seconds=seconds)

    job_id = submit(database)
    for seconds in (10, 20):
        attempt = claim(database, job_id)
        assert attempt
        back(1)
        with database.transaction() as session:
            ledger.progress(session, job_id, attempt, stage="embed", done=1, total=3, unit="images")
        back(seconds)
        with database.transaction() as session:
            if seconds == 10:
                ledger.settle_crash(session, job_id, attempt, "It died")
            else:
                ledger.finish(session, job_id, attempt, "succeeded")
    with database.transaction() as session:
        found = {row.stage: (row.times, round(row.seconds / 10)) for row in session.scalars(select(JobStage))}
    assert found == {"start": (2, 0), "embed": (2, 3)}
