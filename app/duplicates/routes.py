"""/v1/collections/{id}/duplicates"""

from uuid import UUID

from fastapi import APIRouter, Response

from app.deps import PagingQuery, ReadSession, RequestId, Res, WriteSession
from app.duplicates import service
from app.duplicates.schemas import DEFAULT_SIMILARITY, DuplicateOut, GroupsPage, SearchIn, Similarity
from app.idempotency import OnceKey
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/collections/{collection_id}/duplicates", tags=["duplicates"])


@router.get("", operation_id="listDuplicates", responses=responses(404, 409, 422, 503))
def listed(
    collection_id: UUID, session: ReadSession, paging: PagingQuery, similarity: Similarity = DEFAULT_SIMILARITY
) -> GroupsPage:
    """Groups of images that are the same picture or nearly, the biggest group first."""
    return service.groups(session, collection_id, similarity, paging)


@router.post(
    "",
    status_code=202,
    response_model=JobOut,
    operation_id="searchDuplicates",
    responses=responses(404, 409, 422, 503),
)
def search(
    collection_id: UUID, body: SearchIn, session: WriteSession, res: Res, once: OnceKey, request_id: RequestId
) -> Response:
    """Search for near-duplicates: a job hashes what is new and compares."""

    def work() -> tuple[JobOut, str]:
        job = service.request(session, res.settings, collection_id, body, request_id)
        return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

    return once.answer(session, body.model_dump_json(), 202, work)


@router.get("/{image_id}", operation_id="listDuplicatesOfImage", responses=responses(404, 409, 422, 503))
def of_image(
    collection_id: UUID,
    image_id: UUID,
    session: ReadSession,
    paging: PagingQuery,
    similarity: Similarity = DEFAULT_SIMILARITY,
) -> Page[DuplicateOut]:
    """Every image of the group that an image is in, in the order they came."""
    return service.group_of(session, collection_id, image_id, similarity, paging)
