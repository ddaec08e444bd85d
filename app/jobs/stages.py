"""How long jobs were in their stages, to the end of each: what a look every 15 s sees is only where they are then."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Job, JobStage

START = "start"  # from the claim to what a job says first: its process comes up, and it reads what it needs


def enter(session: Session, job: Job, stage: str, done: int) -> None:
    """A running job goes on to another stage, with `done` done before."""
    moment = now(session)
    leave(session, job.id, job.stage, job.stage_started_at, moment)
    job.stage, job.stage_started_at, job.stage_first = stage, moment, done


def eta_s(job: Job, moment: datetime) -> float | None:
    """Seconds to the end of the present stage at the pace it had so far."""
    if job.state != "running" or not job.total or not job.stage_started_at or job.done <= job.stage_first:
        return None
    pace = (moment - job.stage_started_at).total_seconds() / (job.done - job.stage_first)
    return round(max(0.0, pace * (job.total - job.done)), 1)


def leave(session: Session, job_id: UUID, stage: str | None, since: datetime | None, moment: datetime) -> None:
    """Add the time since then to what the job has spent in this stage so far, earlier attempts included."""
    if since is None:
        return
    named = stage or START
    row = session.get(JobStage, (job_id, named))
    if row is None:
        session.add(row := JobStage(job_id=job_id, stage=named, times=0, seconds=0.0))
    row.times += 1
    row.seconds += max(timedelta(0), moment - since).total_seconds()
