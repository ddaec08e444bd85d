"""The ledger of background work. The database is the truth; a Celery message is only a hint that there is work.

queued --claim--> running --finish--> succeeded | failed | cancelled
   ^                 |
   +----release------+--settle_crash / reclaim--> queued again, or dead
   +----postpone-----+  not taken again before a pause

Every change of a running job is a compare-and-set on (id, state, attempt): a worker that lost its lease, or a message
delivered twice, changes nothing. Two jobs with the same `lock` run one after the other, in the order they were asked.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from app.access import quotas
from app.db.caller import CALLER, owner_id
from app.db.session import announce, now
from app.db.tables import Collection, Job
from app.failpoints import reached
from app.ids import new_id
from app.jobs import stages
from app.jobs.waiting import due

CRASHES_ALLOWED = 3  # a job whose own process dies this often without progress is poison
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LOSSES_ALLOWED = 10  # losing the whole worker is not the job's fault, unless it happens again and again
FINAL = frozenset({"succeeded", "failed", "cancelled", "dead"})


class LeaseLost(Exception):
    """Somebody else has the job now, or it is over: stop, and change nothing."""


def submit(
    session: Session,
    kind: str,
    *,
    collection_id: UUID | None,
    params: dict[str, Any],
    lock: str | None = None,
    request_id: str | None = None,
    queue: str = "cpu",
) -> Job:
    """Write a queued job in the caller's transaction; its message goes out after the commit. TooMany over the quota."""
    owner = _owner(session, collection_id)
    quotas.admit_job(session, owner, kind)
    moment = now(session)
    job = Job(
        id=new_id(),
        kind=kind,
        owner_id=owner,
        queue=queue,
        collection_id=collection_id,
        params=params,
        request_id=request_id,
        created_at=moment,
        published_at=moment,
    )
    job.lock = lock or f"job:{job.id}"
    session.add(job)
    session.flush()
    announce(session, job.id, queue)
    return job


def _owner(session: Session, collection_id: UUID | None) -> UUID:
    """Whose a new job is: who asks for it; what a worker asks for belongs to whom the collection belongs to."""
    if CALLER.get() is None and collection_id:
        found = session.scalar(select(Collection.owner_id).where(Collection.id == collection_id))
        return found or owner_id()
    return owner_id()


def claim(session: Session, job_id: UUID, worker: str, lease_s: float) -> int | None:
    """Take a queued job whose turn it is: queued -> running. The new attempt's number, or None."""
    other = aliased(Job)
    earlier = exists().where(
        other.lock == Job.lock,
        other.id != Job.id,
        or_(other.state == "running", and_(other.state == "queued", other.id < Job.id)),
    )
    moment = now(session)
    take = (
        update(Job)
        .where(Job.id == job_id, Job.state == "queued", due(moment), ~earlier)
        .values(
            state="running",
            attempt=Job.attempt + 1,
            worker=worker,
            lease_until=moment + timedelta(seconds=lease_s),
            started_at=moment,
            stage=None,
            stage_started_at=moment,
            advances_at_claim=Job.advances,
            steps=0,
            not_before=None,
            error_code=None,
            error_detail=None,
            version=Job.version + 1,
        )
        .returning(Job.attempt)
    )
    try:
        with session.begin_nested():
            return session.execute(take).scalar_one_or_none()
    except IntegrityError:  # the unique index on running locks: another worker was quicker
        return None


def heartbeat(session: Session, job_id: UUID, attempt: int, lease_s: float) -> bool:
    """Renew the lease; whether a person has asked to cancel. LeaseLost if the job is no longer ours."""
    lease = now(session) + timedelta(seconds=lease_s)
    row = session.execute(
        update(Job).where(*_mine(job_id, attempt)).values(lease_until=lease).returning(Job.cancel_requested)
    ).first()
    if row is None:
        raise LeaseLost
    return bool(row[0])


def progress(
    session: Session,
    job_id: UUID,
    attempt: int,
    *,
    stage: str,
    done: int,
    total: int | None,
    unit: str | None,
    step: bool = False,
    advanced: bool = False,
) -> bool:
    """Note how far the job is. Whether to cancel. LeaseLost.

    `step` when what was done survives a crash; `advanced` unless it had survived one already.
    """
    if (job := _held(session, job_id, attempt)) is None:
        raise LeaseLost
    if job.stage != stage:
        stages.enter(session, job, stage, done)
    job.done, job.total, job.unit = done, total, unit
    job.version += 1
    job.steps += step or advanced
    if advanced:
        job.advances += 1
        job.waited_s = 0.0
    return job.cancel_requested


def finish(
    session: Session,
    job_id: UUID,
    attempt: int,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    code: str | None = None,
    detail: str | None = None,
) -> None:
    """End a running job, in the transaction that publishes its results: all or nothing."""
    moment = now(session)
    values: dict[str, Any] = {
        "state": state,
        "finished_at": moment,
        "lease_until": None,
        "version": Job.version + 1,
        "result": result,
        "error_code": code,
        "error_detail": detail,
    }
    ended = update(Job).where(*_mine(job_id, attempt)).values(**values)
    row = session.execute(ended.returning(Job.lock, Job.stage, Job.stage_started_at)).first()
    if row is None:
        raise LeaseLost
    stages.leave(session, job_id, row.stage, row.stage_started_at, moment)
    _wake_next(session, row.lock)


def attach_report(session: Session, job_id: UUID, attempt: int, key: str) -> None:
    """Name the stored report of this attempt."""
    session.execute(update(Job).where(Job.id == job_id, Job.attempt == attempt).values(report_key=key))


def wake_next(session: Session, job_id: UUID) -> None:
    """Announce the job that waits for the lock of one that has ended.

    `finish` does so too, but a job's own process can't reach the queue of a worker that is embedded in its parent.
    """
    job = session.get_one(Job, job_id)
    if job.state in FINAL:
        _wake_next(session, job.lock)


def release(session: Session, job_id: UUID, attempt: int) -> None:
    """Hand a job back unharmed, as a stopping worker does."""
    back = {"state": "queued", "worker": None, "lease_until": None, "published_at": None, "version": Job.version + 1}
    released = update(Job).where(*_mine(job_id, attempt)).values(**back)
    row = session.execute(released.returning(Job.queue, Job.stage, Job.stage_started_at)).first()
    if row:
        stages.leave(session, job_id, row.stage, row.stage_started_at, now(session))
        announce(session, job_id, row.queue)


def settle_crash(session: Session, job_id: UUID, attempt: int, reason: str, *, code: str = "job_crashed") -> None:
    """The job's own process died: queue it again, or call it dead after three times without progress."""
    if (job := _held(session, job_id, attempt)) is None:
        return
    job.crashes = 0 if job.advances > job.advances_at_claim else job.crashes + 1
    _again_or_dead(session, job, job.crashes >= CRASHES_ALLOWED, code, f"{reason} ({job.crashes} times, no progress).")


def postpone(session: Session, job_id: UUID, attempt: int, code: str, detail: str, longest_s: float) -> None:
    """Queue a running job again that met what only others can mend; its error says meanwhile what it waits for.

    It is not taken before a pause, as long as all before it; after `longest_s` of them without progress it fails. Only
    pauses count: a service that was off, or an attempt that took a day, has not tried in vain.

    Raises LeaseLost.
    """
    if (job := _held(session, job_id, attempt)) is None:
        raise LeaseLost
    job.crashes = job.losses = 0  # its process ended in order; deaths of a week of tries would add up
    if job.waited_s >= longest_s and not job.cancel_requested:
        return finish(session, job_id, attempt, "failed", code=code, detail=detail)
    pause_s = min(max(job.waited_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
    job.waited_s += pause_s
    job.not_before = now(session) + timedelta(seconds=pause_s)
    job.error_code, job.error_detail = code, f"{detail} The job tries again by itself."
    _again_or_dead(session, job, False, code, detail)


def reclaim(session: Session, *, worker: str | None = None) -> list[UUID]:
    """Queue again what was lost: jobs whose lease ran out, or every job of `worker`, which has just started anew."""
    lost = Job.worker == worker if worker else Job.lease_until < now(session)
    jobs = session.scalars(select(Job).where(Job.state == "running", lost).with_for_update(skip_locked=True)).all()
    for job in jobs:
        job.losses = 0 if job.steps else job.losses + 1
        reason = f"The worker was lost {job.losses} times while it ran, without progress."
        _again_or_dead(session, job, job.losses >= LOSSES_ALLOWED, "worker_lost", reason)
        reached("ledger.reclaimed")
    return [job.id for job in jobs]


def request_cancel(session: Session, job_id: UUID) -> Job | None:
    """Cancel at once what is still queued; ask a running job to stop; leave a finished one as it is."""
    job = session.execute(select(Job).where(Job.id == job_id).with_for_update()).scalar_one_or_none()
    if job and job.state == "queued":
        job.state, job.finished_at = "cancelled", now(session)
        job.error_code = job.error_detail = None
        session.flush()
        _wake_next(session, job.lock)
    if job and job.state not in FINAL and not job.cancel_requested:
        job.cancel_requested = True
    if job:
        job.version += 1
        reached("ledger.cancelling")
    return job


def _held(session: Session, job_id: UUID, attempt: int) -> Job | None:
    """The running job of this attempt, locked."""
    return session.scalars(select(Job).where(*_mine(job_id, attempt)).with_for_update()).one_or_none()


def _mine(job_id: UUID, attempt: int) -> tuple[Any, ...]:
    return Job.id == job_id, Job.state == "running", Job.attempt == attempt


def _again_or_dead(session: Session, job: Job, dead: bool, code: str, detail: str) -> None:
    stages.leave(session, job.id, job.stage, job.stage_started_at, now(session))
    job.version += 1
    job.worker = job.lease_until = job.published_at = None
    if job.cancel_requested or dead:
        job.state, job.finished_at = ("cancelled" if job.cancel_requested else "dead"), now(session)
        job.error_code, job.error_detail = (None, None) if job.cancel_requested else (code, detail)
        session.flush()
        _wake_next(session, job.lock)
    else:
        job.state = "queued"
        if job.not_before is None:  # else the reconciler does so when it is due
            announce(session, job.id, job.queue)


def _wake_next(session: Session, lock: str) -> None:
    """Announce the job that waits for the lock that has just become free."""
    waiting = select(Job.id, Job.queue).where(Job.lock == lock, Job.state == "queued").order_by(Job.id).limit(1)
    if row := session.execute(waiting).first():
        announce(session, row.id, row.queue)
