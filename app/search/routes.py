"""/v1/collections/{id}/search"""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi import Query as QueryParam
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.deps import Res
from app.errors import Invalid, TooLarge, UnsupportedType, responses
from app.images import service as images_service
from app.images.multipart import Receiver, receive
from app.images.schemas import UploadItem
from app.search.schemas import Query, SearchOut
from app.search.service import Searcher
from app.text import Sought

router = APIRouter(prefix="/v1", tags=["search"])
MAX_JSON_BYTES = 10_000
_QUERY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Query.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post(
    "/collections/{collection_id}/search",
    operation_id="searchCollection",
    openapi_extra=_QUERY,
    responses=responses(404, 409, 413, 415, 422, 503),
)
async def search(
    collection_id: UUID,
    request: Request,
    res: Res,
    k: Annotated[int, QueryParam(ge=1, le=500, description="How many neighbours.")] = 10,
    encoder: Annotated[Sought | None, QueryParam(description="Id or name; by default the last used.")] = None,
) -> SearchOut:
    """Nearest neighbours of an image of the collection ({"image_id": ...}) or of a picture sent as "file"."""
    searcher: Searcher = request.app.state.searcher
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _by_picture(searcher, request, res, collection_id, k, encoder)
    if kind != "application/json":
        raise UnsupportedType('Send {"image_id": ...} as application/json, or a picture as multipart/form-data.')
    query = await _query(request)

    def work() -> SearchOut:
        with res.database.reading() as session:
            return searcher.by_image(session, collection_id, query.image_id, k, encoder)

    return await run_in_threadpool(work)


async def _query(request: Request) -> Query:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge("The query is larger than 10 KB.", code="query_too_large")
    try:
        return Query.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "the body is no JSON"
        raise Invalid(f"image_id: {detail}", code="invalid") from error


async def _by_picture(
    searcher: Searcher, request: Request, res: Res, collection_id: UUID, k: int, encoder: str | None
) -> SearchOut:
    receiver = Receiver(res.settings.scratch, "file", 1, res.settings.max_file_bytes)
    await receive(request, receiver)

    def work() -> SearchOut:
        if not receiver.received:
            raise Invalid('There is no picture in the field "file".', code="no_files")
        checked = images_service.check(receiver.received[0])
        if isinstance(checked, UploadItem):
            raise Invalid(checked.detail or "", code=checked.code)
        with res.database.reading() as session:
            return searcher.by_picture(session, collection_id, checked.staged, k, encoder)

    try:
        return await run_in_threadpool(work)
    finally:
        images_service.discard(receiver.staged)
