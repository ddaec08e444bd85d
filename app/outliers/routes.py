"""/v1/clusterings/{id}/outliers"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.deps import PagingQuery, ReadSession
from app.outliers import service
from app.outliers.schemas import OutlierOut
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/clusterings/{clustering_id}/outliers", tags=["clusterings"])


@router.get("", operation_id="listOutliers", responses=responses(404, 409, 422, 503))
def listed(
    clustering_id: UUID,
    session: ReadSession,
    paging: PagingQuery,
    at_least: Annotated[float, Query(ge=0, le=1000, description="Only images with such a score or more.")] = 1,
) -> Page[OutlierOut]:
    """Images that are unlike the rest, most odd first."""
    return service.listed(session, clustering_id, at_least, paging)
