"""/v1/clusterings/{id}/propagate and /v1/propagations"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.clusterings import repository as clusterings
from app.deps import PagingQuery, ReadSession, RequestId, Res, WriteSession
from app.idempotency import OnceKey
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.labels import repository, service
from app.labels.export import as_csv
from app.labels.schemas import PredictionOut, PropagationIn, PropagationOut
from app.pagination import Page
from app.problems import responses
from app.text import Sought

router = APIRouter(prefix="/v1", tags=["labels"])
_CSV = {
    "text/csv": {
        "schema": {"type": "string"},
        "example": "image_id,name,label,guess,confidence,given\n0199c0de-...,wren/0012.jpg,wren,wren,0.9312,false\n",
    }
}


@router.post(
    "/clusterings/{clustering_id}/propagate",
    status_code=202,
    response_model=JobOut,
    operation_id="propagateNames",
    responses=responses(404, 409, 422, 503),
)
def create(
    clustering_id: UUID, body: PropagationIn, session: WriteSession, once: OnceKey, request_id: RequestId
) -> Response:
    """Spread names: from a few named images or clusters to a label with a confidence for every image."""

    def work() -> tuple[JobOut, str]:
        job = service.request(session, clustering_id, body, request_id)
        return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

    return once.answer(session, body.model_dump_json(), 202, work)


@router.get(
    "/clusterings/{clustering_id}/propagations", operation_id="listPropagations", responses=responses(404, 422, 503)
)
def listed(clustering_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[PropagationOut]:
    """How names were spread over a clustering, newest first."""
    clusterings.get(session, clustering_id)
    rows, cursor = repository.listed(session, clustering_id, paging)
    return Page(items=[service.shown(row) for row in rows], next_cursor=cursor)


@router.get("/propagations/{propagation_id}", operation_id="getPropagation", responses=responses(404, 422, 503))
def one(propagation_id: UUID, session: ReadSession) -> PropagationOut:
    """One propagation with its counts and its estimated accuracy."""
    return service.shown(repository.get(session, propagation_id))


@router.get("/propagations/{propagation_id}/labels", operation_id="listLabels", responses=responses(404, 422, 503))
def labels(
    propagation_id: UUID,
    session: ReadSession,
    paging: PagingQuery,
    label: Sought | None = None,
    unknown: Annotated[bool | None, Query(description="Only unknown images, or only the others.")] = None,
) -> Page[PredictionOut]:
    """Every image's label and confidence."""
    repository.get(session, propagation_id)
    rows, cursor = repository.predictions(session, propagation_id, paging, label=label, unknown=unknown)
    return Page(items=service.shown_predictions(session, rows), next_cursor=cursor)


@router.get("/propagations/{propagation_id}/review", operation_id="listReview", responses=responses(404, 422, 503))
def review(propagation_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[PredictionOut]:
    """Images to ask a person about, the most helpful answer first."""
    repository.get(session, propagation_id)
    rows, cursor = repository.review(session, propagation_id, paging)
    return Page(items=service.shown_predictions(session, rows), next_cursor=cursor)


@router.get(
    "/propagations/{propagation_id}/labels.csv",
    operation_id="exportLabels",
    response_class=StreamingResponse,
    responses={200: {"content": _CSV}, **responses(404, 422, 503)},
)
def export(propagation_id: UUID, session: ReadSession, res: Res) -> StreamingResponse:
    """Every image's label as CSV, streamed."""
    repository.get(session, propagation_id)
    headers = {"Content-Disposition": f'attachment; filename="labels-{propagation_id}.csv"'}
    return StreamingResponse(
        as_csv(res.database, propagation_id), media_type="text/csv; charset=utf-8", headers=headers
    )
