"""Looking at jobs, following one, and stopping one."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.db.session import Database, now
from app.db.tables import Job
from app.errors import NotFound
from app.jobs import ledger, repository, stages
from app.jobs.schemas import JobError, JobOut, Progress

LOOK_EVERY_S = 0.3


def shown(session: Session, job: Job) -> JobOut:
    fields = {
        name: getattr(job, name)
        for name in (
            "id",
            "kind",
            "collection_id",
            "state",
            "stage",
            "attempt",
            "result",
            "created_at",
            "started_at",
            "finished_at",
        )
    }
    return JobOut(
        **fields,
        progress=Progress(done=job.done, total=job.total, unit=job.unit),
        eta_s=stages.eta_s(job, now(session)),
        error=JobError(code=job.error_code, detail=job.error_detail) if job.error_code else None,
    )


def cancel(session: Session, job_id: UUID) -> Job:
    job = ledger.request_cancel(session, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}; GET /v1/jobs lists them.", code="job_not_found")
    return job


async def follow(database: Database, job_id: UUID, after: int) -> AsyncIterator[dict[str, str]]:
    """Server-sent events: `state` when the state changes, else `progress`; the id is the row's version.

    An event is the whole job as it is now, so a client that comes back with Last-Event-ID misses nothing that counts.
    Ends after a final state.
    """

    def look() -> tuple[int, JobOut]:
        with database.reading() as session:
            job = repository.get(session, job_id)
            return job.version, shown(session, job)

    told: str | None = None
    while True:
        version, job = await run_in_threadpool(look)
        if version > after:
            kind = "progress" if told == job.state else "state"
            yield {"id": str(version), "event": kind, "data": job.model_dump_json()}
            after, told = version, job.state
        if job.state in ledger.FINAL:
            return
        await asyncio.sleep(LOOK_EVERY_S)
