"""/v1/owners and /v1/quota"""

from uuid import UUID

from fastapi import APIRouter, Response

from app.access.caller import owner_id as caller_id
from app.access.scopes import ADMIN
from app.collections.routes import IfMatch
from app.deps import PagingQuery, ReadSession, WriteSession
from app.owners import repository, service
from app.owners.schemas import OwnerOut, OwnerPatch, QuotaOut
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["owners"])


@router.get("/owners", operation_id="listOwners", openapi_extra=ADMIN, responses=responses(422, 503))
def listed(session: ReadSession, paging: PagingQuery) -> Page[OwnerOut]:
    """List owners with their quotas, oldest first."""
    rows, cursor = repository.listed(session, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/owners/{owner_id}", operation_id="getOwner", openapi_extra=ADMIN, responses=responses(404, 422, 503))
def one(owner_id: UUID, session: ReadSession, response: Response) -> OwnerOut:
    """One owner: quota and what of it is used."""
    found = repository.get(session, owner_id)
    response.headers["ETag"] = service.etag(found)
    return service.shown(session, [found])[0]


@router.patch(
    "/owners/{owner_id}",
    operation_id="changeOwner",
    openapi_extra=ADMIN,
    responses=responses(404, 412, 422, 428, 503),
)
def change(
    owner_id: UUID, patch: OwnerPatch, session: WriteSession, response: Response, if_match: IfMatch = None
) -> OwnerOut:
    """Set or lift an owner's limits; needs If-Match."""
    changed = service.change(session, owner_id, patch, if_match)
    response.headers["ETag"] = service.etag(changed)
    return service.shown(session, [changed])[0]


@router.get("/quota", operation_id="getQuota", responses=responses(404, 503))
def quota(session: ReadSession) -> QuotaOut:
    """What the caller may keep and have done, and what of it is used."""
    return service.quota(session, caller_id())
