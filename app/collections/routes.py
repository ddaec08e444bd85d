"""/v1/collections"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Response

from app.collections import repository, service
from app.collections.schemas import CollectionIn, CollectionOut, CollectionPatch
from app.deps import PagingQuery, ReadSession, RequestId, WriteSession
from app.idempotency import OnceKey
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/collections", tags=["collections"])
IfMatch = Annotated[str | None, Header(description='The ETag of the state you saw, for example "3".')]


@router.post(
    "",
    status_code=201,
    response_model=CollectionOut,
    operation_id="createCollection",
    responses=responses(409, 422, 503),
)
def create(body: CollectionIn, session: WriteSession, once: OnceKey) -> Response:
    """Create a collection."""

    def work() -> tuple[CollectionOut, str]:
        made = service.create(session, body)
        return service.shown(session, [made])[0], f"/v1/collections/{made.id}"

    return once.answer(session, body.model_dump_json(), 201, work)


@router.get("", operation_id="listCollections", responses=responses(422, 503))
def listed(session: ReadSession, paging: PagingQuery) -> Page[CollectionOut]:
    """List collections, newest first."""
    rows, cursor = repository.listed(session, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/{collection_id}", operation_id="getCollection", responses=responses(404, 422, 503))
def one(collection_id: UUID, session: ReadSession, response: Response) -> CollectionOut:
    """One collection with its numbers."""
    found = repository.get(session, collection_id)
    response.headers["ETag"] = service.etag(found)
    return service.shown(session, [found])[0]


@router.patch("/{collection_id}", operation_id="changeCollection", responses=responses(404, 412, 422, 428, 503))
def change(
    collection_id: UUID, patch: CollectionPatch, session: WriteSession, response: Response, if_match: IfMatch = None
) -> CollectionOut:
    """Rename or describe a collection; needs If-Match."""
    changed = service.change(session, collection_id, patch, if_match)
    response.headers["ETag"] = service.etag(changed)
    return service.shown(session, [changed])[0]


@router.delete(
    "/{collection_id}", status_code=204, operation_id="deleteCollection", responses=responses(404, 412, 422, 503)
)
def remove(collection_id: UUID, session: WriteSession, request_id: RequestId, if_match: IfMatch = None) -> None:
    """Delete a collection with everything in it; with If-Match only in the state you saw."""
    service.remove(session, collection_id, if_match, request_id)
