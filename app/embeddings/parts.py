"""What is still to embed of a set, in parts that jobs take until none is left (docs/decisions/0015).

free --take--> taken --publish--> gone
  ^              |
  +--give back---+-- or the job that took it runs no longer: its lease in the ledger is the part's, too

The leader is the job that needs the vectors; it writes the parts. Helpers are jobs of other workers. Every take gives
the part a new `shard_id`, and publishing is a compare-and-set on it: who has lost a part changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.db.session import now
from app.db.tables import EmbeddingPart, EmbeddingShard, Job
from app.embeddings import repository
from app.ids import new_id
from app.jobs.ledger import FINAL

PART = 256  # images: what a crash can cost
LAST_PART = 64  # images of each of the last parts, so that all who share the work end at about the same time
LAST_IMAGES = 512  # that are in such small parts
TRIES = 2  # a part that was taken so often to no end is the leader's, whose crashes the ledger counts
WORTH = 256  # images that nobody has taken yet: fewer are embedded before a helper has begun


class PartLost(Exception):
    """Somebody else has taken the part, or nobody needs it any more."""


def cut(ids: Iterable[UUID], total: int, *, shared: bool) -> Iterator[tuple[UUID, UUID, int]]:
    """First id, last id and number of images of each part; ids ascending, about `total` of them.

    Small parts at the end only where others are there to share: each costs a file and two commits.
    """
    rest, done = iter(ids), 0
    while run := list(islice(rest, LAST_PART if shared and total - done <= LAST_IMAGES else PART)):
        done += len(run)
        yield run[0], run[-1], len(run)


def write(session: Session, set_id: UUID, leader: UUID, runs: Iterable[tuple[UUID, UUID, int]]) -> None:
    session.add_all(
        EmbeddingPart(set_id=set_id, first_id=first, last_id=last, images=images, job_id=leader, attempt=0)
        for first, last, images in runs
    )


def begin(session: Session, set_id: UUID, leader: UUID) -> None:
    """Forget what other jobs wanted of the set, and free what an earlier attempt of this one had taken."""
    session.execute(delete(EmbeddingPart).where(EmbeddingPart.set_id == set_id, EmbeddingPart.job_id != leader))
    give_back(session, set_id, leader)


def left(session: Session, set_id: UUID) -> int:
    """Images in parts that are not published yet."""
    images = select(func.coalesce(func.sum(EmbeddingPart.images), 0)).where(EmbeddingPart.set_id == set_id)
    return int(session.execute(images).scalar_one())


def take(session: Session, set_id: UUID, leader: UUID, taker: UUID) -> EmbeddingPart | None:
    """The next free part, now the taker's. None when there is none, or when the leader is over."""
    free = _for_helpers(session) if taker != leader else _free(session)
    query = select(EmbeddingPart).where(EmbeddingPart.set_id == set_id, EmbeddingPart.job_id == leader, free)
    while seen := session.scalars(query.order_by(EmbeddingPart.first_id).limit(1)).first():
        taken = (
            update(EmbeddingPart)
            .where(*_same(seen, seen.shard_id))
            .values(taken_by=taker, shard_id=new_id(), attempt=EmbeddingPart.attempt + 1)
            .returning(EmbeddingPart)
        )
        if part := session.scalars(taken, execution_options={"populate_existing": True}).first():
            return part
        session.expire_all()  # another was quicker: look for the next
    return None


def publish(session: Session, part: EmbeddingPart, shard: EmbeddingShard | None, ids: Sequence[UUID]) -> None:
    """The part's vectors are there, in one stored shard; None when no image of it was left. Raises PartLost."""
    gone = delete(EmbeddingPart).where(*_same(part, part.shard_id)).returning(EmbeddingPart.images)
    if session.scalar(gone) is None:
        raise PartLost
    if shard:
        repository.add_shard(session, shard, ids)


def give_back(session: Session, set_id: UUID, taker: UUID, spoiled: UUID | None = None) -> None:
    """Free what the taker holds; the part of an image that nobody can embed only its leader will take again."""
    held = update(EmbeddingPart).where(EmbeddingPart.set_id == set_id, EmbeddingPart.taken_by == taker)
    if spoiled:
        has_it = EmbeddingPart.first_id <= spoiled, EmbeddingPart.last_id >= spoiled
        session.execute(held.where(*has_it).values(taken_by=None, shard_id=None, attempt=TRIES))
    session.execute(held.values(taken_by=None, shard_id=None))


def shard_ids(session: Session, set_id: UUID) -> list[UUID]:
    """Shards that may be stored already and published later."""
    ids = select(EmbeddingPart.shard_id).where(EmbeddingPart.set_id == set_id, EmbeddingPart.shard_id.is_not(None))
    return [one for one in session.scalars(ids) if one]


def worth_helping(session: Session, worker: str, queues: Sequence[str]) -> tuple[UUID, Job] | None:
    """A set with enough to do for another worker, which works on these queues, and its leader."""
    leader = aliased(Job)
    waiting = (
        select(EmbeddingPart.set_id, leader)
        .join(leader, leader.id == EmbeddingPart.job_id)
        .where(_for_helpers(session), leader.queue.in_(queues), func.coalesce(leader.worker, "") != worker)
        .group_by(EmbeddingPart.set_id, leader.id)
        .having(func.sum(EmbeddingPart.images) >= WORTH)
        .order_by(leader.id)
        .limit(1)
    )
    found = session.execute(waiting).first()
    return (found[0], found[1]) if found else None


def forget_unneeded(session: Session) -> None:
    """Remove parts whose leader is over, cancelled or failed."""
    alive = select(Job.id).where(Job.id == EmbeddingPart.job_id, Job.state.not_in(FINAL)).exists()
    session.execute(delete(EmbeddingPart).where(~alive).execution_options(synchronize_session=False))


def _free(session: Session) -> ColumnElement[bool]:
    """Not taken, or by a job that runs no longer: that it must hold a lease makes the ledger's leases the parts'."""
    taker = aliased(Job)
    runs = select(taker.id).where(
        taker.id == EmbeddingPart.taken_by, taker.state == "running", taker.lease_until >= now(session)
    )
    return or_(EmbeddingPart.taken_by.is_(None), ~runs.exists())


def _for_helpers(session: Session) -> ColumnElement[bool]:
    leader = aliased(Job)
    wanted = select(leader.id).where(
        leader.id == EmbeddingPart.job_id, leader.state.in_(("queued", "running")), ~leader.cancel_requested
    )
    return and_(_free(session), EmbeddingPart.attempt < TRIES, wanted.exists())


def _same(part: EmbeddingPart, shard_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    """The part as it was seen: each take gives it another shard."""
    same = EmbeddingPart.shard_id.is_(None) if shard_id is None else EmbeddingPart.shard_id == shard_id
    return EmbeddingPart.set_id == part.set_id, EmbeddingPart.first_id == part.first_id, same
