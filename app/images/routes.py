"""/v1/collections/{id}/images and /v1/images"""

from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.access import quotas
from app.blobs import BlobResponse, blob, contents
from app.clusterings import repository as clusterings_repository
from app.collections import repository as collections_repository
from app.deps import PagingQuery, ReadSession, RequestId, Res
from app.errors import Conflict, NotFound, UnsupportedType
from app.idempotency import OnceKey
from app.images import places as found_places
from app.images import repository, service, uploads
from app.images.multipart import MULTIPART_BYTES
from app.images.schemas import ImageOut, ImagePlaceOut, JobAccepted, Status, UploadOut
from app.pagination import Page
from app.problems import responses
from app.text import Moment, Sought

router = APIRouter(prefix="/v1", tags=["images"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
            "application/zip": _BINARY,
            "application/x-tar": _BINARY,
            "application/gzip": _BINARY,
        },
    }
}
_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@router.post(
    "/collections/{collection_id}/images",
    response_model=UploadOut,
    operation_id="uploadImages",
    openapi_extra=_UPLOAD,
    responses={
        202: {"model": JobAccepted, "description": "An archive; a job unpacks it"},
        **responses(404, 409, 413, 415, 422, 429, 503, 507),
    },
)
async def upload(collection_id: UUID, request: Request, res: Res, once: OnceKey, request_id: RequestId) -> Response:
    """Upload pictures: multipart/form-data with "files", or a zip, tar or tar.gz as the body."""
    with res.database.reading() as session:
        owner_id = collections_repository.get(session, collection_id).owner_id
        room = quotas.room(session, owner_id, overhead=MULTIPART_BYTES)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await uploads.files(request, res, collection_id, once, request_id, room)
    if kind in uploads.ARCHIVES:
        return await uploads.archive(request, res, collection_id, once, uploads.ARCHIVES[kind], request_id, room)
    raise UnsupportedType("Send multipart/form-data, application/zip, application/x-tar or application/gzip.")


@router.get("/collections/{collection_id}/images", operation_id="listImages", responses=responses(404, 422, 503))
def listed(
    collection_id: UUID,
    session: ReadSession,
    paging: PagingQuery,
    status: Status | None = None,
    cluster: Annotated[Sought | None, Query(description="N of the newest clustering, or CLUSTERING:N.")] = None,
    taken_after: Annotated[Moment | None, Query(description="At this time or later.")] = None,
    taken_before: Annotated[Moment | None, Query(description="Before this time.")] = None,
    camera: Sought | None = None,
    name: Annotated[Sought | None, Query(description="A part of the name.")] = None,
) -> Page[ImageOut]:
    """List a collection's images in the order they came."""
    collections_repository.get(session, collection_id)
    chosen = clusterings_repository.cluster_of(session, collection_id, cluster) if cluster else None
    query = repository.filtered(
        collection_id,
        status=status,
        cluster=chosen,
        taken_after=taken_after,
        taken_before=taken_before,
        camera=camera,
        name=name,
    )
    rows, cursor = repository.listed(session, query, paging)
    return Page(items=[service.shown(row) for row in rows], next_cursor=cursor)


@router.get("/images/{image_id}", operation_id="getImage", responses=responses(404, 422, 503))
def one(image_id: UUID, session: ReadSession) -> ImageOut:
    """One image."""
    return service.shown(repository.get(session, image_id))


@router.get(
    "/images/{image_id}/file",
    operation_id="getImageFile",
    response_class=BlobResponse,
    responses={**contents("image/*", _BINARY), **responses(404, 416, 422, 503)},
)
def file(image_id: UUID, session: ReadSession, res: Res) -> BlobResponse:
    """The original bytes, as they were uploaded."""
    image = repository.get(session, image_id)
    key = service.original_key(image.collection_id, image.id, image.sha256)
    return blob(res.storage, key, f"image/{image.format}", name=image.name, headers=_IMMUTABLE)


@router.get(
    "/images/{image_id}/thumbnail",
    operation_id="getThumbnail",
    response_class=BlobResponse,
    responses={**contents("image/jpeg", _BINARY), **responses(404, 409, 416, 422, 503, 507)},
)
def thumbnail(
    image_id: UUID,
    session: ReadSession,
    res: Res,
    request: Request,
    size: Annotated[Literal["128", "256", "1024"], Query(description="Short side in pixels.")] = "256",
) -> Response:
    """A JPEG without metadata: the working copy, half of it, or a larger one that is made on first request and kept."""
    image = repository.get(session, image_id)
    if image.status == "rejected":
        raise NotFound("The image was rejected and has no thumbnail.", code="thumbnail_not_found")
    if image.status == "pending":
        raise Conflict("The image is not decoded yet.", code="image_pending", headers={"Retry-After": "1"})
    if size == "128":
        jpeg = service.small_copy(res.storage, image)
        etag = f'"{sha256(jpeg).hexdigest()[:32]}"'
        return Response(jpeg, media_type="image/jpeg", headers=_IMMUTABLE | {"ETag": etag})
    if size == "256":
        key = service.working_key(image.collection_id, image.id)
    else:
        key = service.large_copy(res.storage, request.app.state.decoder, image)
    return blob(res.storage, key, "image/jpeg", headers=_IMMUTABLE)


@router.get("/images/{image_id}/places", operation_id="listPlaces", responses=responses(404, 422, 503))
def places(image_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[ImagePlaceOut]:
    """Where the image is in each clustering, newest first."""
    return found_places.places(session, image_id, paging)


@router.delete("/images/{image_id}", status_code=204, operation_id="deleteImage", responses=responses(404, 422, 503))
def remove(image_id: UUID, res: Res) -> None:
    """Delete an image with everything made from it."""
    with res.database.transaction() as session:
        keys = service.remove(session, image_id)
    for key in keys:
        res.storage.delete(key)
