"""/v1/collections/{id}/search"""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi import Query as QueryParam
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from app.access.scopes import READ
from app.bodies import stream
from app.deps import Res
from app.errors import Invalid, TooLarge, UnsupportedType
from app.images import service as images_service
from app.images.multipart import MULTIPART_BYTES, Receiver, receive
from app.images.schemas import UploadItem
from app.problems import responses
from app.room import Room
from app.search.schemas import Box, Filters, Query, SearchOut, body, part
from app.search.service import Searcher
from app.text import Moment, Sought
from models.images.part import Part

router = APIRouter(prefix="/v1", tags=["search"])
MAX_JSON_BYTES = 10_000
_BOX: TypeAdapter[list[float]] = TypeAdapter(Box)


def _filters(
    cluster: Annotated[Sought | None, QueryParam(description="N of the newest clustering, or CLUSTERING:N.")] = None,
    taken_after: Annotated[Moment | None, QueryParam(description="At this time or later.")] = None,
    taken_before: Annotated[Moment | None, QueryParam(description="Before this time.")] = None,
    camera: Sought | None = None,
    name: Annotated[Sought | None, QueryParam(description="A part of the name.")] = None,
) -> Filters:
    return Filters(cluster=cluster, taken_after=taken_after, taken_before=taken_before, camera=camera, name=name)


@router.post(
    "/collections/{collection_id}/search",
    operation_id="searchCollection",
    openapi_extra=body() | READ,
    responses=responses(404, 409, 413, 415, 422, 503),
)
async def search(
    collection_id: UUID,
    request: Request,
    res: Res,
    filters: Annotated[Filters, Depends(_filters)],
    k: Annotated[int, QueryParam(ge=1, le=500, description="How many neighbours.")] = 10,
    encoder: Annotated[Sought | None, QueryParam(description="Id or name; by default the last used.")] = None,
) -> SearchOut:
    """Nearest neighbours of an image or a part of it, of examples, or of a picture sent along; filtered if wished."""
    searcher: Searcher = request.app.state.searcher
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _by_picture(searcher, request, res, collection_id, k, encoder, filters)
    if kind != "application/json":
        raise UnsupportedType('Send {"image_id": ...} as application/json, or a picture as multipart/form-data.')
    query = await _query(request)
    merged = _merged(filters, query)

    def work() -> SearchOut:
        with res.database.reading() as session:
            return searcher.by_query(session, collection_id, query, k, encoder, merged)

    return await run_in_threadpool(work)


async def _query(request: Request) -> Query:
    room = Room(MAX_JSON_BYTES, TooLarge("The query is larger than 10 KB.", code="query_too_large"))
    received = b"".join([chunk async for chunk in stream(request, room)])
    try:
        return Query.model_validate_json(received)
    except ValidationError as error:
        raise Invalid(_first(error), code="invalid") from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _merged(filters: Filters, query: Query) -> Filters:
    """Filters may stand in the address or in the body, but one filter not in both."""
    address, inside = filters.given(), query.given()
    if twice := sorted(address.keys() & inside.keys()):
        raise Invalid(f"{twice[0]} is given in the address and in the body; give it once.", code="filter_twice")
    return Filters(**{**address, **inside})


async def _by_picture(
    searcher: Searcher,
    request: Request,
    res: Res,
    collection_id: UUID,
    k: int,
    encoder: str | None,
    filters: Filters,
) -> SearchOut:
    receiver = Receiver(res.settings.scratch, "file", 1, res.settings.max_file_bytes)
    refused = TooLarge(f"The picture is larger than {res.settings.max_file_bytes:,} bytes. Send a smaller version.")
    await receive(request, receiver, Room(res.settings.max_file_bytes + MULTIPART_BYTES, refused))

    def work() -> SearchOut:
        if not receiver.received:
            raise Invalid('There is no picture in the field "file".', code="no_files")
        checked = images_service.check(receiver.received[0])
        if isinstance(checked, UploadItem):
            raise Invalid(checked.detail or "", code=checked.code)
        box = _part(receiver.fields.get("box"))
        with res.database.reading() as session:
            return searcher.by_picture(session, collection_id, checked.staged, box, k, encoder, filters)

    try:
        return await run_in_threadpool(work)
    finally:
        images_service.discard(receiver.staged)


def _part(text: str | None) -> Part | None:
    """The form field "box"; empty is none."""
    if not text or not text.strip():
        return None
    try:
        return part(_BOX.validate_python(json.loads(text)))
    except (ValueError, RecursionError) as error:
        reason = _first(error) if isinstance(error, ValidationError) else str(error)
        raise Invalid(f"box: {reason}; send for example [0.25, 0.1, 0.4, 0.5].", code="invalid") from error
