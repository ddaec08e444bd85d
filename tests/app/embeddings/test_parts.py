"""Parts on both databases: whatever takes, publishes, dies and starts again, each image gets one vector."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, insert, select, update

from app.db.migrate import migrate
from app.db.session import Database, now
from app.db.tables import Collection, Embedding, EmbeddingPart, EmbeddingSet, EmbeddingShard, Encoder, Image, Job
from app.embeddings import parts, repository
from app.encoders import repository as encoders
from app.ids import new_id
from app.jobs import ledger

IMAGES = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgresql"
    url = request.getfixturevalue("new_postgres_url")() if postgres else f"sqlite:///{tmp_path / 'parts.db'}"
    made = Database(url)
    migrate(made)
    with made.transaction() as session:
        encoders.register(session)
    yield made
    made.close()


class Set:
    """A set of images without vectors, its leader and helpers."""

    def __init__(self, database: Database, images: int = IMAGES, run: int = 2) -> None:
        self.database = database
        with database.transaction() as session:
            moment = now(session)
            encoder = session.scalars(select(Encoder).limit(1)).one()
            collection = Collection(name="made", created_at=moment, updated_at=moment)
            session.add(collection)
            session.flush()
            self.row = repository.ensure(session, collection.id, encoder, "0" * 64)
            self.images = sorted(new_id() for _ in range(images))
            session.execute(insert(Image), [self._image(one, collection.id, moment) for one in self.images])
        self.leader = self.job()
        self.write(run)

    def _image(self, image_id: UUID, collection_id: UUID, moment: object) -> dict[str, object]:
        return {
            "id": image_id, "collection_id": collection_id, "name": "x.jpg", "sha256": image_id.hex * 2, "bytes": 1,
            "format": "jpeg", "status": "ready", "created_at": moment,
        }  # fmt: skip

    def write(self, run: int) -> None:
        groups = [self.images[start : start + run] for start in range(0, len(self.images), run)]
        with self.database.transaction() as session:
            parts.write(session, self.row.id, self.leader, [(one[0], one[-1], len(one)) for one in groups])

    def job(self, queue: str = "cpu", worker: str = "w") -> UUID:
        with self.database.transaction() as session:
            job_id = ledger.submit(session, "embed", collection_id=None, params={}, queue=queue).id
            assert ledger.claim(session, job_id, worker, 600)
        return job_id

    def end(self, job_id: UUID, **values: object) -> None:
        with self.database.transaction() as session:
            session.execute(update(Job).where(Job.id == job_id).values(**values))

    def take(self, job_id: UUID) -> EmbeddingPart | None:
        with self.database.transaction() as session:
            return parts.take(session, self.row.id, self.leader, job_id)

    def publish(self, part: EmbeddingPart) -> bool:
        try:
            with self.database.transaction() as session:
                ids = repository.missing_between(session, self.row, part.first_id, part.last_id)
                shard = EmbeddingShard(id=part.shard_id, set_id=self.row.id, key="x", rows=len(ids), sha256="0" * 64)
                parts.publish(session, part, shard, ids)
        except parts.PartLost:
            return False
        return True

    def left(self) -> int:
        with self.database.reading() as session:
            return parts.left(session, self.row.id)

    def embedded(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).where(Embedding.set_id == self.row.id)) or 0

    def worth(self, worker: str = "other", queue: str = "cpu") -> bool:
        with self.database.reading() as session:
            return parts.worth_helping(session, worker, [queue]) is not None


class PartsMachine(RuleBasedStateMachine):
    database: Database

    @initialize()
    def start(self) -> None:
        self.set = Set(self.database)
        self.jobs = [self.set.leader, self.set.job(), self.set.job()]
        self.alive = set(self.jobs)
        self.parts: dict[UUID, dict[str, object]] = {
            one: {"shard": None, "by": None, "attempt": 0} for one in self.set.images[::2]
        }
        self.claims: list[EmbeddingPart] = []

    def free(self, who: int) -> list[UUID]:
        found = [one for one, part in sorted(self.parts.items()) if part["by"] not in self.alive]
        return [one for one in found if who == 0 or self.parts[one]["attempt"] < parts.TRIES]  # type: ignore[operator]

    @rule(who=st.integers(0, 2))
    def take(self, who: int) -> None:
        if self.jobs[who] not in self.alive:
            return
        expected, part = self.free(who), self.set.take(self.jobs[who])
        assert (part.first_id if part else None) == (expected[0] if expected else None)
        if part:
            known = self.parts[part.first_id]
            known |= {"shard": part.shard_id, "by": self.jobs[who], "attempt": known["attempt"] + 1}  # type: ignore[operator]
            self.claims.append(part)

    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        """By whoever ever took it, even twice, even long after its end."""
        if self.claims:
            part = data.draw(st.sampled_from(self.claims))
            known = self.parts.get(part.first_id)
            assert self.set.publish(part) == (known is not None and known["shard"] == part.shard_id)
            if known and known["shard"] == part.shard_id:
                del self.parts[part.first_id]

    @rule(who=st.integers(1, 2), how=st.sampled_from(["lease", "state"]))
    def die(self, who: int, how: str) -> None:
        """A lease that ran out and a crash that was settled are alike; another helper comes in its place."""
        with self.database.reading() as session:
            past = now(session) - timedelta(seconds=1)
        self.set.end(self.jobs[who], **({"lease_until": past} if how == "lease" else {"state": "queued"}))
        self.alive.discard(self.jobs[who])
        self.jobs[who] = self.set.job()
        self.alive.add(self.jobs[who])

    @rule(who=st.integers(0, 2), image=st.none() | st.integers(0, IMAGES - 1))
    def give_back(self, who: int, image: int | None) -> None:
        spoiled = None if image is None else self.set.images[image]
        with self.database.transaction() as session:
            parts.give_back(session, self.set.row.id, self.jobs[who], spoiled)
        for first, part in self.parts.items():
            if part["by"] == self.jobs[who]:
                part |= {"shard": None, "by": None}
                part |= (
                    {"attempt": parts.TRIES} if image is not None and first == self.set.images[image // 2 * 2] else {}
                )

    @rule()
    def the_leader_starts_again(self) -> None:
        with self.database.transaction() as session:
            parts.begin(session, self.set.row.id, self.set.leader)
        for part in self.parts.values():
            if part["by"] == self.set.leader:
                part |= {"shard": None, "by": None}

    @invariant()
    def what_is_not_left_is_embedded(self) -> None:
        assert self.set.left() == 2 * len(self.parts)
        assert self.set.embedded() == IMAGES - self.set.left()

    def teardown(self) -> None:
        """Whatever happened: once its helpers are gone, the leader finishes alone."""
        if not hasattr(self, "set"):
            return
        for job_id in self.jobs[1:]:
            self.set.end(job_id, state="dead")
        with self.database.transaction() as session:
            parts.begin(session, self.set.row.id, self.set.leader)
        while part := self.set.take(self.set.leader):
            assert self.set.publish(part)
        assert (self.set.left(), self.set.embedded()) == (0, IMAGES)


def test_whatever_happens(database: Database) -> None:
    PartsMachine.database = database
    few = settings(
        max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(PartsMachine, settings=few)


def test_many_at_once_take_each_part_once(database: Database) -> None:
    made = Set(database, images=40, run=1)
    takers = [made.leader, *(made.job() for _ in range(5))]

    def all_of(taker: UUID) -> list[UUID]:
        return [part.first_id for part in iter(lambda: made.take(taker), None)]

    with ThreadPoolExecutor(len(takers)) as pool:
        taken = [one for found in pool.map(all_of, takers) for one in found]
    assert sorted(taken) == made.images


def test_the_last_parts_are_small() -> None:
    ids = [new_id() for _ in range(1500)]
    runs = list(parts.cut(ids, len(ids), shared=True))
    assert [images for *_, images in runs] == [256] * 4 + [64] * 7 + [28]
    starts = [*range(0, 1024, 256), *range(1024, 1500, 64)]
    assert [first for first, *_ in runs] == [ids[start] for start in starts]
    assert [last for _, last, _ in runs][-1] == ids[-1]
    alone = [images for *_, images in parts.cut(ids, len(ids), shared=False)]
    assert alone == [256] * 5 + [220] and list(parts.cut([], 0, shared=True)) == []


def test_helpers_come_only_where_they_are_worth_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "WORTH", IMAGES)
    made = Set(database)
    assert made.worth()
    assert not made.worth(worker="w"), "the leader's own worker has no other cores"
    assert not made.worth(queue="gpu")
    part = made.take(made.leader)
    assert part and not made.worth(), "too few are left"
    made.end(made.leader, state="queued", worker=None, lease_until=None)
    assert made.worth(), "its worker was lost: what it had taken is free"
    made.end(made.leader, cancel_requested=True)
    assert not made.worth() and made.take(made.job()) is None


def test_parts_go_with_their_leader(database: Database) -> None:
    made = Set(database)
    part = made.take(made.job())
    assert part
    with database.transaction() as session:
        parts.forget_unneeded(session)
    assert made.left() == IMAGES
    made.end(made.leader, state="cancelled")
    with database.transaction() as session:
        parts.forget_unneeded(session)
    assert made.left() == 0 and not made.publish(part)


def test_a_new_leader_does_not_want_what_an_old_one_wanted(database: Database) -> None:
    made = Set(database)
    part = made.take(made.leader)
    assert part
    made.leader = made.job()
    with database.transaction() as session:
        parts.begin(session, made.row.id, made.leader)
    assert made.left() == 0 and not made.publish(part)
    with database.reading() as session:
        assert session.get(EmbeddingSet, made.row.id)


def test_an_image_that_is_gone_gets_no_vector(database: Database) -> None:
    made = Set(database)
    part = made.take(made.leader)
    assert part
    with database.transaction() as session:
        session.delete(session.get_one(Image, part.first_id))
    assert made.publish(part) and made.embedded() == 1
