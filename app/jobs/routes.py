"""/v1/jobs"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse

from app.blobs import BlobResponse, blob, contents
from app.deps import PagingQuery, ReadSession, Res, WriteSession
from app.errors import Conflict, NotFound
from app.jobs import ledger, repository, service, training
from app.jobs.schemas import JobOut, JobTrainingOut, State
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_EVENTS = {
    "schema": {  # of one event
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string"},
            "event": {"enum": ["state", "progress"]},
            "data": {"type": "string", "contentMediaType": "application/json", "description": "The whole job."},
        },
    },
    "example": {"id": "7", "event": "progress", "data": '{"id":"0199c0de-...","state":"running",...}'},
}
_REPORT = {
    "schema": {"type": "string"},
    "example": '{"name":"wren/0012.jpg","status":"ready","image_id":"0199c0de-..."}\n',
}


@router.get("", operation_id="listJobs", responses=responses(422, 503))
def listed(
    session: ReadSession,
    paging: PagingQuery,
    state: State | None = None,
    collection: Annotated[UUID | None, Query(description="Only the jobs of this collection.")] = None,
) -> Page[JobOut]:
    """List jobs, newest first."""
    rows, cursor = repository.listed(session, paging, state, collection)
    return Page(items=[service.shown(session, row) for row in rows], next_cursor=cursor)


@router.get("/{job_id}", operation_id="getJob", responses=responses(404, 422, 503))
def one(job_id: UUID, session: ReadSession) -> JobOut:
    """One job: state, stage, progress, time left, result or error."""
    return service.shown(session, repository.get(session, job_id))


@router.get(
    "/{job_id}/events",
    operation_id="followJob",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": _EVENTS}}, **responses(404, 422, 503)},
)
def events(
    job_id: UUID, res: Res, session: ReadSession, last_event_id: Annotated[int, Header(ge=0, le=2**62)] = 0
) -> EventSourceResponse:
    """Follow a job: events "state" and "progress", each with the whole job; ends when the job does."""
    repository.get(session, job_id)
    return EventSourceResponse(service.follow(res.database, job_id, last_event_id))


@router.get(
    "/{job_id}/report",
    operation_id="getJobReport",
    response_class=BlobResponse,
    responses={**contents("application/x-ndjson", _REPORT), **responses(404, 409, 416, 422, 503)},
)
def report(job_id: UUID, res: Res, session: ReadSession) -> BlobResponse:
    """One line of JSON for each file of an archive: {"name","status","image_id","code","detail"}."""
    job = repository.get(session, job_id)
    if job.report_key:
        return blob(res.storage, job.report_key, "application/x-ndjson")
    if job.state in ledger.FINAL:
        raise NotFound("This job wrote no report.", code="report_not_found")
    raise Conflict("The report is written when the job ends.", code="report_not_ready", headers={"Retry-After": "2"})


@router.get("/{job_id}/training", operation_id="followTraining", responses=responses(404, 409, 422, 503))
def curves(job_id: UUID, session: ReadSession) -> JobTrainingOut:
    """How a fine-tuning is doing, epoch by epoch, while it runs and after, however it ended."""
    return training.shown(session, job_id)


@router.post("/{job_id}/cancel", status_code=202, operation_id="cancelJob", responses=responses(404, 422, 503))
def cancel(job_id: UUID, session: WriteSession, response: Response) -> JobOut:
    """Ask a job to stop; what it has published stays. A job that is over is left as it is."""
    job = service.cancel(session, job_id)
    response.headers.update({"Location": f"/v1/jobs/{job_id}", "Retry-After": "1"})
    return service.shown(session, job)
