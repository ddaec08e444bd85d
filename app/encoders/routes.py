"""/v1/encoders"""

from uuid import UUID

from fastapi import APIRouter

from app.deps import ReadSession
from app.encoders import repository, service
from app.encoders.schemas import EncoderOut
from app.errors import responses
from app.pagination import Page, PagingQuery

router = APIRouter(prefix="/v1/encoders", tags=["encoders"])


@router.get("", operation_id="listEncoders", responses=responses(422, 503))
def listed(session: ReadSession, paging: PagingQuery) -> Page[EncoderOut]:
    """List encoders: the built-in ones, those of the hub, and whether each can be used here."""
    rows, cursor = repository.listed(session, paging)
    return Page(items=[service.shown(row) for row in rows], next_cursor=cursor)


@router.get("/{encoder_id}", operation_id="getEncoder", responses=responses(404, 422, 503))
def one(encoder_id: UUID, session: ReadSession) -> EncoderOut:
    """One encoder."""
    return service.shown(repository.get(session, encoder_id))
