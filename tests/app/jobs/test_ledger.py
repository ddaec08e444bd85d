"""The ledger on both databases: claims, leases, crashes, cancelling, order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from app.db.migrate import migrate
from app.db.session import Database, now
from app.db.tables import Job, JobStage
from app.jobs import ledger, stages, waiting


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgresql"
    url = request.getfixturevalue("new_postgres_url")() if postgres else f"sqlite:///{tmp_path / 'ledger.db'}"
    announced: list[UUID] = []
    made = Database(url, lambda job_id, queue: announced.append(job_id))
    migrate(made)
    made.announced = announced  # type: ignore[attr-defined]
    yield made
    made.close()


def submit(database: Database, lock: str | None = None) -> UUID:
    with database.transaction() as session:
        return ledger.submit(session, "test", collection_id=None, params={}, lock=lock).id


def claim(database: Database, job_id: UUID, worker: str = "w", lease_s: float = 60) -> int | None:
    with database.transaction() as session:
        return ledger.claim(session, job_id, worker, lease_s)


def state(database: Database, job_id: UUID) -> str:
    with database.reading() as session:
        return session.get_one(Job, job_id).state


def crash(database: Database, job_id: UUID, attempt: int) -> None:
    with database.transaction() as session:
        ledger.settle_crash(session, job_id, attempt, "It ended with SIGSEGV")


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


def test_a_service_killed_twenty_times_never_ends_a_job_that_gets_on(database: Database) -> None:
    job_id = submit(database)
    for n in range(20):
        attempt = claim(database, job_id, "serve")
        assert attempt == n + 1
        with database.transaction() as session:
            ledger.progress(session, job_id, attempt, stage="embed", done=n, total=99, unit=None, advanced=True)
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


def test_a_forgotten_job_is_announced_again(database: Database) -> None:
    job_id = submit(database)
    database.announced.clear()  # type: ignore[attr-defined]
    with database.transaction() as session:
        waiting.announce_unseen(session, "cpu", timedelta(seconds=60))
    assert database.announced == [], "it was announced a moment ago"  # type: ignore[attr-defined]
    with database.transaction() as session:
        waiting.announce_unseen(session, "cpu", timedelta(seconds=-1))
    assert database.announced == [job_id]  # type: ignore[attr-defined]


def postpone(database: Database, job_id: UUID, attempt: int) -> None:
    with database.transaction() as session:
        ledger.postpone(session, job_id, attempt, "storage_full", "The disk is full.", timedelta(hours=1))


def moved(database: Database, job_id: UUID, seconds: float) -> None:
    """As if so much time had passed for the job."""
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        job.not_before, job.waits_since = (
            at and at - timedelta(seconds=seconds) for at in (job.not_before, job.waits_since)
        )


def test_who_waits_for_an_outage_to_end_comes_back_ever_more_slowly(database: Database) -> None:
    job_id = submit(database)
    for pause in (1, 1, 2, 4, 8, 16, 32, 60, 60):
        attempt = claim(database, job_id)
        assert attempt, "it was due"
        postpone(database, job_id, attempt)
        with database.reading() as session:
            job = session.get_one(Job, job_id)
            assert job.not_before
            left = (job.not_before - now(session)).total_seconds()
        assert left == pytest.approx(pause, rel=0.25) and claim(database, job_id) is None
        moved(database, job_id, left)
    attempt = claim(database, job_id)
    assert attempt
    with database.transaction() as session:
        ledger.progress(session, job_id, attempt, stage="embed", done=1, total=3, unit="images", advanced=True)
    postpone(database, job_id, attempt)
    moved(database, job_id, 1)
    assert claim(database, job_id), "it had got on"


def test_deaths_between_outages_do_not_add_up(database: Database) -> None:
    job_id = submit(database)
    for _ in range(ledger.CRASHES_ALLOWED):
        for end in (crash, postpone):
            attempt = claim(database, job_id)
            assert attempt
            end(database, job_id, attempt)
        moved(database, job_id, 60)
    assert state(database, job_id) == "queued"


def test_who_waits_for_an_outage_to_end_is_announced_when_it_is_due(database: Database) -> None:
    job_id = submit(database)
    attempt = claim(database, job_id)
    assert attempt
    database.announced.clear()  # type: ignore[attr-defined]
    postpone(database, job_id, attempt)
    for passed, told in ((0.0, []), (1.0, [job_id])):
        moved(database, job_id, passed)
        with database.transaction() as session:
            assert waiting.queued(session, "cpu") == len(told)
            waiting.announce_unseen(session, "cpu", timedelta(seconds=60))
        assert database.announced == told  # type: ignore[attr-defined]


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


class LedgerMachine(RuleBasedStateMachine):
    """Any order of events: a final state stays, attempts only grow, and one lock has one running job."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.lock = f"lock-{id(self)}"
        self.jobs: list[UUID] = []
        self.attempts: dict[UUID, int] = {}
        self.final: dict[UUID, str] = {}

    @rule()
    def submit(self) -> None:
        self.jobs.append(submit(self.database, self.lock))

    @precondition(lambda self: self.jobs)
    @rule()
    def claim_all(self) -> None:
        for job_id in self.jobs:
            if (attempt := claim(self.database, job_id)) is not None:
                assert attempt > self.attempts.get(job_id, 0)
                self.attempts[job_id] = attempt

    @precondition(lambda self: self.attempts)
    @rule()
    def crash_newest(self) -> None:
        job_id, attempt = list(self.attempts.items())[-1]
        crash(self.database, job_id, attempt)

    @precondition(lambda self: self.attempts)
    @rule()
    def finish_newest(self) -> None:
        job_id, attempt = list(self.attempts.items())[-1]
        try:
            with self.database.transaction() as session:
                ledger.finish(session, job_id, attempt, "succeeded", result={})
        except ledger.LeaseLost:
            assert state(self.database, job_id) != "running" or self.attempts[job_id] != attempt

    @precondition(lambda self: self.attempts)
    @rule()
    def postpone_newest(self) -> None:
        job_id, attempt = list(self.attempts.items())[-1]
        try:
            postpone(self.database, job_id, attempt)
            moved(self.database, job_id, 60)
        except ledger.LeaseLost:
            assert state(self.database, job_id) != "running" or self.attempts[job_id] != attempt

    @precondition(lambda self: self.jobs)
    @rule()
    def cancel_newest(self) -> None:
        with self.database.transaction() as session:
            ledger.request_cancel(session, self.jobs[-1])

    @invariant()
    def rules_hold(self) -> None:
        states = {job_id: state(self.database, job_id) for job_id in self.jobs}
        assert list(states.values()).count("running") <= 1
        for job_id, was in self.final.items():
            assert states[job_id] == was
        self.final = {job_id: s for job_id, s in states.items() if s in ledger.FINAL}


def test_no_order_of_events_breaks_the_rules(tmp_path: Path) -> None:
    LedgerMachine.database = Database(f"sqlite:///{tmp_path / 'machine.db'}")
    migrate(LedgerMachine.database)
    checks = settings(max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(LedgerMachine, settings=checks)
