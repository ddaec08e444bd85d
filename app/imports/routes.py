"""/v1/collections/{id}/imports"""

from uuid import UUID

from fastapi import APIRouter, Response

from app.deps import RequestId, Res
from app.idempotency import OnceKey
from app.imports import service
from app.imports.schemas import ImportIn
from app.jobs.schemas import JobOut
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["images"])


@router.post(
    "/collections/{collection_id}/imports",
    status_code=202,
    response_model=JobOut,
    operation_id="importImages",
    responses=responses(403, 404, 409, 422, 503, 507),
)
def create(collection_id: UUID, body: ImportIn, res: Res, once: OnceKey, request_id: RequestId) -> Response:
    """Fetch pictures from web addresses, where the settings allow it. A job does so; its report has a line for each."""
    return service.accept(res, collection_id, body.urls, once, request_id)
