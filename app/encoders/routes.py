"""/v1/encoders, /v1/methods and /v1/collections/{id}/encoders"""

from uuid import UUID

from fastapi import APIRouter, Response

from app.blobs import BlobResponse, blob, contents
from app.deps import PagingQuery, ReadSession, RequestId, Res, WriteSession
from app.encoders import repository, results, service, training
from app.encoders.methods import METHODS
from app.encoders.schemas import ComparisonOut, EncoderIn, EncoderOut, MethodOut, TrainingOut
from app.idempotency import OnceKey
from app.jobs.schemas import JobOut
from app.pagination import Page
from app.problems import responses

_PAGE = {"schema": {"type": "string"}, "example": "<!doctype html><title>garden-simclr</title>..."}
router = APIRouter(prefix="/v1", tags=["encoders"])


@router.get("/encoders", operation_id="listEncoders", responses=responses(422, 503))
def listed(session: ReadSession, res: Res, paging: PagingQuery) -> Page[EncoderOut]:
    """List encoders: the built-in ones, those of the hub, those fine-tuned here, and whether each can be used."""
    rows, cursor = repository.listed(session, paging)
    return Page(items=[service.shown(res.storage, row) for row in rows], next_cursor=cursor)


@router.get("/encoders/{encoder_id}", operation_id="getEncoder", responses=responses(404, 422, 503))
def one(encoder_id: UUID, session: ReadSession, res: Res) -> EncoderOut:
    """One encoder."""
    return service.shown(res.storage, repository.get(session, encoder_id))


@router.get("/encoders/{encoder_id}/training", operation_id="getTraining", responses=responses(404, 422, 503))
def trained(encoder_id: UUID, session: ReadSession) -> TrainingOut:
    """How an encoder was fine-tuned, epoch by epoch."""
    return service.training(session, encoder_id)


@router.get(
    "/encoders/{encoder_id}/training.html",
    operation_id="getTrainingReport",
    response_class=BlobResponse,
    responses={**contents("text/html", _PAGE), **responses(404, 416, 422, 503)},
)
def report(encoder_id: UUID, session: ReadSession, res: Res) -> BlobResponse:
    """The same as a page with pictures: measures before and after, the verdict, the curves."""
    return blob(res.storage, service.report(session, encoder_id), "text/html")


@router.delete(
    "/encoders/{encoder_id}", status_code=204, operation_id="deleteEncoder", responses=responses(404, 409, 422, 503)
)
def remove(encoder_id: UUID, session: WriteSession, request_id: RequestId) -> None:
    """Delete a fine-tuned encoder with the embeddings and clusterings it made."""
    service.remove(session, encoder_id, request_id)


@router.get("/methods", operation_id="listMethods", responses=responses(503))
def methods() -> list[MethodOut]:
    """The methods of fine-tuning with the schema of their parameters."""
    return list(METHODS.all().values())


@router.post(
    "/collections/{collection_id}/encoders",
    status_code=202,
    response_model=JobOut,
    operation_id="createEncoder",
    responses=responses(404, 409, 422, 503, 507),
)
def create(collection_id: UUID, body: EncoderIn, res: Res, once: OnceKey, request_id: RequestId) -> Response:
    """Fine-tune an encoder on a collection: a job trains it and compares it with the one it comes from."""
    return training.accept(res, collection_id, body, once, request_id)


@router.get(
    "/collections/{collection_id}/encoders/compare",
    operation_id="compareEncoders",
    responses=responses(404, 422, 503),
)
def compare(collection_id: UUID, session: ReadSession) -> ComparisonOut:
    """Compare a collection's encoders on the same held-out images."""
    return results.comparison(session, collection_id)
