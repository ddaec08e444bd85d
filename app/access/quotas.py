"""How much an owner may keep and have done at once: reserved in the transaction that writes the rows it counts.

So a crash leaves neither a reservation without rows nor rows without one. Locks are taken in the order collection,
owner: everybody who changes an image's row holds its collection first.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.access.caller import CALLER
from app.db.session import now
from app.db.tables import Collection, Job, Owner, Upload
from app.errors import TooLarge, TooMany
from app.room import Room

# Jobs that clear up, mend, or help one that was asked for: they count for nobody and are never refused.
SYSTEM = frozenset({"sweep", "repair", "embed"})
UNFINISHED = ("queued", "running")
RETRY_S = 5
What = TypeVar("What", bound=Hashable)


def reserve(session: Session, owner_id: UUID, sizes: Mapping[What, int]) -> set[What]:
    """Count new images of these sizes, in bytes, as used. Those that fit; the others are not counted.

    Usually one UPDATE takes all. Where they do not all fit, each in turn gets what those before it have left.
    """
    if not sizes or _take(session, owner_id, sum(sizes.values()), len(sizes)):
        return set(sizes)
    owner = session.get_one(Owner, owner_id, with_for_update=True, populate_existing=True)
    free, places = left(owner.quota_bytes, owner.used_bytes), left(owner.quota_images, owner.used_images)
    fitting: dict[What, int] = {}
    for one, size in sizes.items():
        if size <= free - sum(fitting.values()) and len(fitting) < places:
            fitting[one] = size
    if fitting and not _take(session, owner_id, sum(fitting.values()), len(fitting)):
        raise RuntimeError("the quota changed under a lock")
    return set(fitting)


def give_back(session: Session, owner_id: UUID, size: int, images: int) -> None:
    """What is deleted, with `size` bytes in all, is used no longer."""
    less = {"used_bytes": Owner.used_bytes - size, "used_images": Owner.used_images - images}
    session.execute(update(Owner).where(Owner.id == owner_id).values(less), execution_options=_UNSEEN)


def sentence(session: Session, owner_id: UUID) -> str:
    """Why something was not taken, and what to do."""
    owner = session.get_one(Owner, owner_id, populate_existing=True)
    limits = ((owner.used_bytes, owner.quota_bytes, "bytes"), (owner.used_images, owner.quota_images, "images"))
    used = " and ".join(f"{used:,} of {limit:,} {unit}" for used, limit, unit in limits if limit is not None)
    return f"It would pass the quota: {used} are used. Delete images or collections, or have the quota raised."


def room(session: Session, owner_id: UUID, overhead: int = 0) -> Room:
    """How much an owner can still bring. What cannot fit need not be read, nor written anywhere.

    Of the bytes `overhead` may be no file's: what just fits must not be refused.
    """
    owner = session.get_one(Owner, owner_id)
    refused = TooLarge(sentence(session, owner_id), code="quota_exceeded")
    return Room(left(owner.quota_bytes, owner.used_bytes) + overhead, refused)


def check_under_way(session: Session, owner_id: UUID, size: int) -> None:
    """TooLarge (quota_exceeded) when an upload of `size` bytes can't fit beside those that were begun already.

    Each of them is on the disk as far as it is. Who begins one at the same time waits here.
    """
    if session.scalar(select(Owner.quota_bytes).where(Owner.id == owner_id)) is None:
        return
    session.get_one(Owner, owner_id, with_for_update=True)
    uploads, collections = Upload.__table__.c, Collection.__table__.c
    begun = select(func.coalesce(func.sum(uploads.size), 0)).where(uploads.job_id.is_(None))
    owned = uploads.collection_id.in_(select(collections.id).where(collections.owner_id == owner_id))
    under_way = session.scalar(begun.where(owned, uploads.expires_at > now(session))) or 0
    if size + under_way > (free := room(session, owner_id)).bytes:
        raise (
            free.refused
            if not under_way
            else TooLarge(
                f"{sentence(session, owner_id)} Uploads that were begun hold {under_way:,} bytes more: "
                "finish or give up those of GET /v1/uploads.",
                code="quota_exceeded",
            )
        )


def admit_job(session: Session, owner_id: UUID, kind: str) -> None:
    """TooMany (too_many_jobs) when as many jobs as may be wait or run. Who comes at the same time waits here.

    Only people are refused: what workers and the command line start belongs to something already under way.
    """
    quota = select(Owner.quota_jobs).where(Owner.id == owner_id)
    if kind in SYSTEM or CALLER.get() is None or session.scalar(quota) is None:
        return
    limit = session.scalar(quota.with_for_update())
    if limit is not None and (found := unfinished_jobs(session, [owner_id]).get(owner_id, 0)) >= limit:
        raise TooMany(
            f"{found} jobs wait or run, and {limit} may at the same time; try again when one has ended.",
            code="too_many_jobs",
            headers={"Retry-After": str(RETRY_S)},
        )


def unfinished_jobs(session: Session, ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many jobs of each owner count. Also those of others, whom the caller's key does not show: of the table."""
    jobs = Job.__table__.c
    counted = select(jobs.owner_id, func.count()).where(jobs.owner_id.in_(list(ids)), jobs.state.in_(UNFINISHED))
    rows = session.execute(counted.where(jobs.kind.not_in(SYSTEM)).group_by(jobs.owner_id))
    return {owner_id: count for owner_id, count in rows}


def left(limit: int | None, used: int) -> float:
    """Without a limit there is always more."""
    return float("inf") if limit is None else max(0, limit - used)


_UNSEEN = {"synchronize_session": False}  # whoever reads an owner after this asks the database anew


def _take(session: Session, owner_id: UUID, size: int, images: int) -> bool:
    """The one atomic statement: how much is used changes only if it stays within the quota."""
    used_bytes, used_images = Owner.used_bytes + size, Owner.used_images + images
    within = (
        or_(Owner.quota_bytes.is_(None), used_bytes <= Owner.quota_bytes),
        or_(Owner.quota_images.is_(None), used_images <= Owner.quota_images),
    )
    more = update(Owner).where(Owner.id == owner_id, *within).values(used_bytes=used_bytes, used_images=used_images)
    return session.execute(more.returning(Owner.id), execution_options=_UNSEEN).first() is not None
