"""/v1/audit-log"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.access.scopes import ADMIN
from app.audit_log import repository
from app.audit_log.schemas import AuditRecordOut
from app.deps import PagingQuery, ReadSession
from app.pagination import Page
from app.problems import responses
from app.text import Moment, Sought

router = APIRouter(prefix="/v1/audit-log", tags=["operations"])


@router.get("", operation_id="listAuditRecords", openapi_extra=ADMIN, responses=responses(422, 503))
def listed(
    session: ReadSession,
    paging: PagingQuery,
    action: Annotated[Sought | None, Query(description="Only this operation or command.")] = None,
    since: Annotated[Moment | None, Query(description="At this time or later.")] = None,
    owner: Annotated[UUID | None, Query(description="Only what this owner did.")] = None,
) -> Page[AuditRecordOut]:
    """List what was changed and by whom, newest first."""
    rows, cursor = repository.listed(session, paging, action=action, since=since, owner_id=owner)
    return Page(items=[AuditRecordOut.model_validate(row) for row in rows], next_cursor=cursor)
