"""Any order of events: the rules of the ledger hold."""

from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.db.migrate import migrate
from app.db.session import Database
from app.jobs import ledger
from tests.app.jobs.calls import claim, crash, moved, postpone, state, submit


class LedgerMachine(RuleBasedStateMachine):
    """A final state stays, attempts only grow, and one lock has one running job."""

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
