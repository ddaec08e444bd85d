"""/v1/clusterings/{id}/map"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.deps import Res
from app.maps import service
from app.maps.encodings import ARROW, ENCODINGS, RAW
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["clusterings"])
Format = Literal["arrow", "float32", "ids", "clusters"]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FOUND: dict[int | str, dict[str, Any]] = {
    200: {"description": "The map", "content": {ARROW: _BINARY, RAW: _BINARY}},
    304: {"description": "The map is the one you have"},
}
_FORMAT = (
    "arrow: a stream of image_id (16 bytes), x, y and cluster (null: in none). For readers without Arrow three "
    "arrays in one order, little-endian: float32 (x, y pairs), ids (16 bytes each), clusters (int32, -1: in none). "
    "Without it what Accept prefers, application/octet-stream meaning float32."
)


@router.get(
    "/clusterings/{clustering_id}/map",
    operation_id="getMap",
    response_class=Response,
    responses={**_FOUND, **responses(404, 409, 422, 503)},
)
def one(
    clustering_id: UUID,
    request: Request,
    res: Res,
    format: Annotated[Format | None, Query(description=_FORMAT)] = None,
    if_none_match: Annotated[str | None, Header(description="The ETag of the map you have.")] = None,
) -> Response:
    """Two coordinates for every image, with its cluster of now; images that look alike lie together."""
    chosen = format or _accepted(request.headers.get("accept", ""))
    found = service.opened(res, clustering_id)
    etag = f'"{found.state}.{chosen}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if etag in _tags(if_none_match) or "*" in _tags(if_none_match):
        return Response(status_code=304, headers=headers)
    media_type, encode = ENCODINGS[chosen]
    return StreamingResponse(encode(found.blocks()), media_type=media_type, headers=headers)


def _accepted(accept: str) -> Format:
    """Arrow, unless plain bytes are asked for and Arrow is not."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return "float32" if RAW in kinds and ARROW not in kinds else "arrow"


def _tags(if_none_match: str | None) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
