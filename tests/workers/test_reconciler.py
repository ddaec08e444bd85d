"""What the reconciler announces again: as much as was lost, however long the queue is."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from app.db.migrate import migrate
from app.jobs import ledger, waiting
from app.jobs.queue import Queue
from app.resources import Resources
from app.settings import Settings
from tests.fixtures.watching import wait_for
from workers import reconciler
from workers.reconciler import Reconciler

NUMBER = 9  # the Redis database
JOBS = 250


@pytest.fixture
def redis(redis_port: int) -> Iterator[Redis]:
    with Redis(port=redis_port, db=NUMBER) as client:
        client.flushdb()
        yield client


@pytest.fixture
def made(redis_port: int, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reconciler]:
    """Of a service with many jobs that nobody takes; each counts as unseen at once."""
    monkeypatch.setattr(reconciler, "REPUBLISH_AFTER", timedelta(seconds=-1))
    settings = Settings(data=tmp_path / "data", broker_url=f"redis://127.0.0.1:{redis_port}/{NUMBER}")
    migrate((resources := Resources.open(settings)).database)
    reconciling = Reconciler(resources, "test", ["cpu"])
    submit(reconciling, JOBS)
    yield reconciling
    resources.close()


def submit(made: Reconciler, jobs: int) -> None:
    with made.resources.database.transaction() as session:
        for _ in range(jobs):
            ledger.submit(session, "sweep", collection_id=None, params={"prefixes": ["nothing"]})


def waits(redis: Redis, messages: int) -> bool:
    return bool(redis.llen("cpu") == messages)


def test_what_waits_is_not_announced_again(made: Reconciler, redis: Redis) -> None:
    wait_for(lambda: waits(redis, JOBS))
    for _ in range(3):
        made.tick()
    submit(made, 1)  # messages go out in order: with its own, all that came before
    wait_for(lambda: redis.llen("cpu") > JOBS)
    assert waits(redis, JOBS + 1)


def test_as_much_as_was_lost_is_announced_again(made: Reconciler, redis: Redis) -> None:
    wait_for(lambda: waits(redis, JOBS))
    redis.ltrim("cpu", 30, -1)
    made.tick()
    wait_for(lambda: waits(redis, JOBS))
    redis.flushdb()
    for _ in range(3):
        before = redis.llen("cpu")
        made.tick()
        wait_for(lambda before=before: waits(redis, min(before + waiting.ANNOUNCED_AT_ONCE, JOBS)))


def test_a_broker_that_does_not_tell(tmp_path: Path) -> None:
    assert Queue(Settings(data=tmp_path, broker_url="redis://127.0.0.1:1/0")).waiting("cpu") is None
