"""/v1/uploads: tus 1.0, and as JSON what is under way."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.collections import repository as collections_repository
from app.db.tables import Upload
from app.deps import PagingQuery, ReadSession, RequestId, Res
from app.errors import Malformed, RoostError, StorageFull
from app.idempotency import Once, OnceKey
from app.pagination import Page
from app.problems import responses
from app.resources import Resources
from app.uploads import metadata, protocol, repository, service
from app.uploads.checksum import ALGORITHMS, Checksum
from app.uploads.protocol import OFFSETS, Resumable, TusRoute
from app.uploads.receiving import receive
from app.uploads.schemas import ResumableOut

router = APIRouter(tags=["uploads"])
tus = APIRouter(prefix="/v1/uploads", route_class=TusRoute)
_BYTES = {"content": {OFFSETS: {"schema": {"type": "string", "format": "binary"}}}}
_SAID = "filename and collection, optionally filetype and sha256: each a name, a blank and its value in base64."
_EXAMPLE = "filename Z2FyZGVuLnppcA==,collection MDE5OWMwZGUtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx"
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0, description="What HEAD told.")]
Sum = Annotated[
    str | None,
    Header(alias="Upload-Checksum", description=f"{', '.join(ALGORITHMS)}; a blank; base64 of the body's hash."),
]


def _told(*names: str) -> dict[str, Any]:
    return {"headers": {name: {"schema": {"type": "string"}} for name in ("Tus-Resumable", *names)}}


@tus.options(
    "", status_code=204, operation_id="describeUploads", responses={204: _told("Tus-Version", "Tus-Extension")}
)
def describe(res: Res) -> Response:
    """What of tus is spoken here: version, extensions, largest size, checksums."""
    return Response(status_code=204, headers=protocol.abilities(res.settings))


@tus.post(
    "",
    status_code=201,
    response_model=ResumableOut,
    operation_id="beginUpload",
    dependencies=[Resumable],
    openapi_extra={"requestBody": {"required": False, **_BYTES}},
    responses={201: _told("Location", "Upload-Offset"), **responses(400, 404, 409, 412, 413, 415, 422, 460, 503)},
)
async def begin(
    request: Request,
    res: Res,
    once: OnceKey,
    request_id: RequestId,
    size: Annotated[int, Header(alias="Upload-Length", ge=1, description="Bytes of the whole.")],
    said: Annotated[str, Header(alias="Upload-Metadata", description=_SAID, examples=[_EXAMPLE])],
    checksum: Sum = None,
) -> Response:
    """Begin an upload that can be resumed; its first bytes may come along."""
    summed = Checksum.read(checksum)
    if with_bytes := "content-type" in request.headers:
        protocol.check_content_type(request)
    answer, upload = await run_in_threadpool(_begin, res, once, size, metadata.read(said))
    if with_bytes and not once.repeated:
        await _first_bytes(request, res, upload, summed, request_id)
        upload = await run_in_threadpool(_look, res, upload.id)
    answer.headers.update(protocol.headers(upload))
    return answer


def _begin(res: Resources, once: Once, size: int, said: metadata.Metadata) -> tuple[Response, Upload]:
    with res.database.transaction() as session:
        made: list[Upload] = []

        def work() -> tuple[ResumableOut, str]:
            made.append(service.begin(session, res.settings, size, said))
            return ResumableOut.model_validate(made[0]), f"/v1/uploads/{made[0].id}"

        answer = once.answer(session, f"{size} {said.text}", 201, work)
        upload_id = UUID(answer.headers["location"].rpartition("/")[2])
        return answer, made[0] if made else repository.get(session, upload_id)


async def _first_bytes(
    request: Request, res: Resources, upload: Upload, checksum: Checksum | None, request_id: str | None
) -> None:
    """Bytes that come with the creation. Where they can't be taken the upload goes too: its address is not known yet.

    A full disk is no reason for that: the client learns how far it is, and tries again from there.
    """
    try:
        await receive(request, res, upload, checksum, request_id)
    except StorageFull:
        return
    except RoostError:
        await run_in_threadpool(service.give_up, res, upload.id)
        raise


def _look(res: Resources, upload_id: UUID) -> Upload:
    with res.database.reading() as session:
        return repository.get(session, upload_id)


@tus.head(
    "/{upload_id}",
    operation_id="askUpload",
    response_class=Response,
    dependencies=[Resumable],
    responses={200: _told("Upload-Offset", "Upload-Length"), **responses(404, 412, 422, 503)},
)
async def ask(upload_id: UUID, request: Request, res: Res) -> Response:
    """How far an upload is: Upload-Offset is where to go on. A request that still brings bytes is ended first."""
    await run_in_threadpool(_look, res, upload_id)  # whose it is not, is told so before anything ends
    await request.app.state.under_way.end(upload_id)
    upload = await run_in_threadpool(_look, res, upload_id)
    whole = {"Upload-Length": str(upload.size), "Upload-Metadata": upload.described, "Cache-Control": "no-store"}
    return Response(headers=protocol.headers(upload) | whole)


@tus.patch(
    "/{upload_id}",
    status_code=204,
    operation_id="continueUpload",
    dependencies=[Resumable],
    openapi_extra={"requestBody": {"required": True, **_BYTES}},
    responses={204: _told("Upload-Offset"), **responses(400, 404, 409, 412, 413, 415, 422, 460, 503, 507)},
)
async def go_on(
    upload_id: UUID, request: Request, res: Res, request_id: RequestId, offset: Offset, checksum: Sum = None
) -> Response:
    """Send bytes from Upload-Offset on; when all are here, Roost-Job names the job."""
    protocol.check_content_type(request)
    summed = Checksum.read(checksum)
    upload = await run_in_threadpool(_look, res, upload_id)
    if offset != upload.received:
        raise service.offset_conflict(upload)
    await receive(request, res, upload, summed, request_id)
    upload = await run_in_threadpool(_look, res, upload_id)
    return Response(status_code=204, headers=protocol.headers(upload))


@tus.delete(
    "/{upload_id}",
    status_code=204,
    operation_id="giveUpUpload",
    dependencies=[Resumable],
    responses=responses(404, 409, 412, 422, 503),
)
def give_up(upload_id: UUID, res: Res) -> Response:
    """Give an upload up that is not complete; its bytes are removed."""
    service.give_up(res, upload_id)
    return Response(status_code=204)


@tus.post(
    "/{upload_id}",
    status_code=204,
    operation_id="overrideUpload",
    dependencies=[Resumable],
    openapi_extra={"requestBody": {"required": False, **_BYTES}},
    responses={204: _told("Upload-Offset"), **responses(400, 404, 409, 412, 413, 415, 422, 460, 503, 507)},
)
async def override(
    upload_id: UUID,
    request: Request,
    res: Res,
    request_id: RequestId,
    method: Annotated[Literal["PATCH", "DELETE"], Header(alias="X-HTTP-Method-Override")],
    offset: Annotated[int | None, Header(alias="Upload-Offset", ge=0, description="For PATCH.")] = None,
    checksum: Sum = None,
) -> Response:
    """PATCH or DELETE, for clients that can't send these."""
    if method == "DELETE":
        return await run_in_threadpool(give_up, upload_id, res)
    if offset is None:
        raise Malformed("Send Upload-Offset.", code="upload_offset_missing")
    return await go_on(upload_id, request, res, request_id, offset, checksum)


router.include_router(tus)


@router.get("/v1/uploads", operation_id="listUploads", responses=responses(404, 422, 503))
def listed(
    session: ReadSession,
    paging: PagingQuery,
    collection: Annotated[UUID, Query(description="Whose uploads.")],
) -> Page[ResumableOut]:
    """List a collection's uploads that still lack bytes, newest first."""
    collections_repository.get(session, collection)
    rows, cursor = repository.unfinished(session, collection, paging)
    return Page(items=[ResumableOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/v1/uploads/{upload_id}", operation_id="getUpload", responses=responses(404, 422, 503))
def one(upload_id: UUID, session: ReadSession) -> ResumableOut:
    """One upload, and the job that took it once it was complete."""
    return ResumableOut.model_validate(repository.get(session, upload_id))
