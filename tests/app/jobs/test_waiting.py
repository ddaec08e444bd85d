"""Queued jobs: who is announced, and when; those that wait for an outage to end."""

from datetime import timedelta

import pytest

from app.db.session import Database, now
from app.db.tables import Job
from app.jobs import ledger, waiting
from tests.app.jobs.calls import claim, crash, moved, postpone, state, submit


def test_a_forgotten_job_is_announced_again(database: Database) -> None:
    job_id = submit(database)
    database.announced.clear()  # type: ignore[attr-defined]
    with database.transaction() as session:
        waiting.announce_unseen(session, "cpu", timedelta(seconds=60))
    assert database.announced == [], "it was announced a moment ago"  # type: ignore[attr-defined]
    with database.transaction() as session:
        waiting.announce_unseen(session, "cpu", timedelta(seconds=-1))
    assert database.announced == [job_id]  # type: ignore[attr-defined]


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


def test_only_pauses_count_as_waiting(database: Database) -> None:
    """Not the days for which the service was off, nor an attempt that took its time."""
    job_id = submit(database)
    for _ in range(3):
        attempt = claim(database, job_id)
        assert attempt
        postpone(database, job_id, attempt, longest_s=3)
        moved(database, job_id, 86_400)
    assert state(database, job_id) == "queued"
    attempt = claim(database, job_id)
    assert attempt
    postpone(database, job_id, attempt, longest_s=3)
    assert state(database, job_id) == "failed"


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


def test_who_is_behind_another_of_its_lock_is_not_announced(database: Database) -> None:
    """Nobody could take it; and whoever waits for an outage to end may have many behind it."""
    first, _, alone = submit(database, "gallery"), submit(database, "gallery"), submit(database)
    attempt = claim(database, first)
    assert attempt
    for end in (lambda: None, lambda: postpone(database, first, attempt)):  # it runs; it waits
        end()
        database.announced.clear()  # type: ignore[attr-defined]
        with database.transaction() as session:
            assert waiting.queued(session, "cpu") == 1
            waiting.announce_unseen(session, "cpu", timedelta(seconds=-1))
        assert database.announced == [alone]  # type: ignore[attr-defined]
