"""/v1/collections/{id}/events"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.deps import PagingQuery, ReadSession
from app.events import service
from app.events.schemas import EventOut
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/collections/{collection_id}/events", tags=["events"])
LONGEST_GAP_S = 7 * 86_400


@router.get("", operation_id="listEvents", responses=responses(404, 422, 503))
def listed(
    collection_id: UUID,
    session: ReadSession,
    paging: PagingQuery,
    gap_s: Annotated[
        float, Query(ge=0, le=LONGEST_GAP_S, description="Seconds from one image to the next, at most.")
    ] = 60,
    at_least: Annotated[int, Query(ge=1, le=1_000_000, description="Only events of so many images or more.")] = 1,
) -> Page[EventOut]:
    """Images that one camera took in quick succession, event by event."""
    return service.listed(session, collection_id, gap_s, at_least, paging)
