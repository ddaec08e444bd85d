"""The shared embedding in this process: a leader, and helpers that are slow, gone or meet a damaged file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db.tables import EmbeddingPart, EmbeddingSet, EmbeddingShard, Job, Worker
from app.embeddings import parts
from app.embeddings.service import shard as shard_key
from app.images.service import working_key
from app.resources import Resources
from app.settings import Settings
from tests.fixtures.watching import wait_for
from tests.workers.vectorless import IMAGES, Gallery, made
from workers import celery_app
from workers.context import Context, JobFailed, Stopped
from workers.jobs import embed as job_embed
from workers.runner import Runner
from workers.sharing import Sharing

__all__ = ["made"]  # a fixture


@contextmanager
def leading(made: Gallery, leader: Context) -> Iterator[list[BaseException]]:
    """The leader at work beside what the block does; joined at its end. What it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            made.lead(leader)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield raised
    thread.join(60)
    assert not thread.is_alive()


def test_the_leader_alone(made: Gallery) -> None:
    leader = made.submit()
    made.lead(leader)
    made.check()
    with made.resources.database.reading() as session:
        job = session.get_one(Job, leader.job.id)
        assert (job.stage, job.done, job.total) == ("embed", IMAGES, IMAGES)
        assert len(session.scalars(select(EmbeddingShard)).all()) == IMAGES // 4


def test_a_helper_does_all_that_the_leader_does_not(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    part = made.take(leader, leader)
    helper = made.helper(leader)
    job_embed.run(helper)
    with made.resources.database.reading() as session:
        done = session.get_one(Job, helper.job.id)
        assert (done.state, done.result) == ("succeeded", {"embedded": IMAGES - part.images})
    assert made.left() == part.images
    made.lead(leader)
    made.check()


def test_the_leader_waits_for_a_helper_until_that_is_gone(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    helper = made.helper(leader)
    part = made.take(leader, helper)
    assert part.shard_id
    stored = shard_key(made.row(), part.shard_id)
    path = helper.folder / "x.npy"
    path.write_bytes(b"not published yet")
    made.resources.storage.put([(path, stored)])
    with leading(made, leader) as raised:
        wait_for(lambda: made.left() == part.images)
        assert made.resources.storage.exists(stored), "it may be published at any moment"
        made.end(helper, state="queued")
    assert raised == []
    made.lead(leader)  # the next one removes what nobody will publish
    made.check()


def test_the_leader_can_be_cancelled_while_it_waits(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    part = made.take(leader, made.helper(leader))
    with leading(made, leader) as raised:
        wait_for(lambda: made.left() == part.images)
        made.end(leader, cancel_requested=True)
    assert [type(error) for error in raised] == [Stopped]


def test_an_earlier_attempt_of_the_leader_holds_nothing_up(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    made.take(leader, leader)
    made.lead(leader)
    made.check()


def test_a_damaged_working_copy_is_the_leaders_to_report(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    with made.resources.database.reading() as session:
        first = session.scalars(select(EmbeddingPart).order_by(EmbeddingPart.first_id)).first()
    assert first
    made.resources.storage.local(working_key(made.collection_id, first.first_id)).write_bytes(b"\xff\xd8 no picture")
    helper = made.helper(leader)
    job_embed.run(helper)
    assert 0 < made.left() < IMAGES
    with made.resources.database.reading() as session:
        assert session.get_one(Job, helper.job.id).state == "succeeded"
    with pytest.raises(JobFailed) as failed:
        made.lead(leader)
    assert failed.value.code == "working_copy_unreadable" and str(first.first_id) in failed.value.detail


def test_helpers_that_are_of_no_use_end_at_once(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    again, neighbour, late = (made.helper(leader) for _ in range(3))
    again.job.attempt = 2
    made.end(again, attempt=2)
    job_embed.run(again)
    made.end(leader, worker="there")
    job_embed.run(neighbour)
    made.end(leader, worker="here", state="failed")
    job_embed.run(late)
    with made.resources.database.reading() as session:
        results = [session.get_one(Job, helper.job.id).result for helper in (again, neighbour, late)]
    assert results == [{"embedded": 0}] * 3 and made.left() == IMAGES


def test_other_weights_are_no_help(made: Gallery) -> None:
    leader = made.submit()
    made.plan(leader)
    with made.resources.database.transaction() as session:
        session.get_one(EmbeddingSet, made.set_id).sha256 = "0" * 64
    with pytest.raises(JobFailed, match="other weights"):
        job_embed.run(made.helper(leader))
    assert made.left() == IMAGES


def test_a_worker_with_time_helps(made: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "WORTH", IMAGES)
    leader = made.submit()
    made.plan(leader)
    here, there = (Runner(made.resources, name) for name in ("here", "there"))
    assert Sharing(made.resources, here, ["cpu"]).help()
    assert made.left() == IMAGES, "the leader's own worker does not"
    assert Sharing(made.resources, there, ["cpu"]).help()
    assert made.left() == 0
    made.check()
    with made.resources.database.reading() as session:
        [helper] = session.scalars(select(Job).where(Job.kind == "embed"))
        assert (helper.state, helper.owner_id, helper.collection_id) == ("succeeded", leader.job.owner_id, None)


def test_the_embedded_worker_does_not(tmp_path: Path, made: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its only worker is the leader's own."""
    monkeypatch.setattr(parts, "WORTH", IMAGES)
    monkeypatch.setattr("workers.sharing.LOOK_EVERY_S", 0.01)
    leader = made.submit()
    made.plan(leader)
    resources = Resources.open(Settings(data=made.resources.settings.data, reconcile_s=0.05))

    def seen() -> Any:
        with resources.database.reading() as session:
            return session.scalar(select(Worker.seen_at).where(Worker.name == celery_app.EMBEDDED))

    with celery_app.embedded(resources):
        before = wait_for(seen)
        wait_for(lambda: (seen() - before).total_seconds() > 0.5)
    resources.close()
    assert made.left() == IMAGES
    with made.resources.database.reading() as session:
        assert session.scalars(select(Job).where(Job.kind == "embed")).all() == []
