"""/v1/algorithms, /v1/collections/{id}/clusterings and /v1/clusterings"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.access.scopes import READ
from app.bodies import stream
from app.clusterings import cuts, repository, service
from app.clusterings.export import FORMATS
from app.clusterings.repository import Member
from app.clusterings.schemas import (
    AlgorithmOut,
    ClusteringIn,
    ClusteringOut,
    ClusterOrder,
    ClusterOut,
    EvaluationOut,
    LabelsIn,
    MemberOut,
    SuggestionsOut,
)
from app.collections import repository as collections_repository
from app.deps import PagingQuery, ReadSession, RequestId, Res, WriteSession
from app.errors import Invalid, TooLarge, UnsupportedType
from app.idempotency import OnceKey
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.pagination import Page
from app.problems import responses
from app.resources import Resources
from app.room import Room

router = APIRouter(prefix="/v1", tags=["clusterings"])
CutQuery = Annotated[
    int | None,
    Query(ge=1, le=100_000, description="Cut the run's tree into so many clusters; `agglomerative` keeps one."),
]
Number = Annotated[int, Path(ge=0, description="The cluster's id in its clustering.")]
_EXPORTS = {
    "text/csv": {
        "schema": {"type": "string"},
        "example": "image_id,name,cluster_id,label,distance\n0199c0de-...,wren/0012.jpg,0,wren,0.120000\n",
    },
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}
MAX_LABELS_BYTES = 200 * 2**20
_LABELS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": LabelsIn.model_json_schema()},
            "text/csv": {"schema": {"type": "string"}, "example": "name,label\nwren/0012.jpg,wren\n"},
        },
    }
}


@router.get("/algorithms", operation_id="listAlgorithms")
def algorithms() -> list[AlgorithmOut]:
    """The clustering algorithms with the schema of their parameters."""
    return service.algorithms()


@router.post(
    "/collections/{collection_id}/clusterings",
    status_code=202,
    response_model=JobOut,
    operation_id="createClustering",
    responses=responses(404, 409, 422, 503),
)
def create(
    collection_id: UUID, body: ClusteringIn, session: WriteSession, res: Res, once: OnceKey, request_id: RequestId
) -> Response:
    """Cluster a collection: a job decodes and embeds what is missing, clusters, and builds the index."""

    def work() -> tuple[JobOut, str]:
        job = service.request(session, res.settings, collection_id, body, request_id)
        return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

    return once.answer(session, body.model_dump_json(), 202, work)


@router.post(
    "/clusterings/{clustering_id}/assign",
    status_code=202,
    response_model=JobOut,
    operation_id="assignImages",
    responses=responses(404, 409, 422, 503),
)
def assign(clustering_id: UUID, session: WriteSession, res: Res, once: OnceKey, request_id: RequestId) -> Response:
    """Let images that came later join the clusters that are there, without a new run."""

    def work() -> tuple[JobOut, str]:
        job = service.request_assign(session, res.settings, clustering_id, request_id)
        return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

    return once.answer(session, str(clustering_id), 202, work)


@router.get(
    "/collections/{collection_id}/clusterings", operation_id="listClusterings", responses=responses(404, 422, 503)
)
def listed(collection_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[ClusteringOut]:
    """A collection's clusterings, newest first."""
    collections_repository.get(session, collection_id)
    rows, cursor = repository.listed(session, collection_id, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/clusterings/{clustering_id}", operation_id="getClustering", responses=responses(404, 422, 503))
def one(clustering_id: UUID, session: ReadSession, response: Response) -> ClusteringOut:
    """One clustering with its metrics and all that made it."""
    found = repository.get(session, clustering_id)
    response.headers["ETag"] = service.etag(found.revision)
    return service.shown(session, [found])[0]


@router.get(
    "/clusterings/{clustering_id}/suggestions", operation_id="getSuggestions", responses=responses(404, 409, 422, 503)
)
def suggestions(clustering_id: UUID, session: ReadSession) -> SuggestionsOut:
    """Numbers of clusters suggested for k "auto", what speaks for each, the curve behind."""
    return service.suggestions(session, clustering_id)


@router.get(
    "/clusterings/{clustering_id}/clusters", operation_id="listClusters", responses=responses(404, 409, 422, 503)
)
def clusters(
    clustering_id: UUID,
    session: ReadSession,
    res: Res,
    paging: PagingQuery,
    k: CutQuery = None,
    order: Annotated[ClusterOrder, Query(description="size and cohesion: greatest first, ties by number.")] = "number",
) -> Page[ClusterOut]:
    """The clusters by number, biggest first when the run ended; with ?k= those of its tree cut into k, uncorrected."""
    found = repository.get(session, clustering_id)
    paging = replace(paging, path=f"{paging.path}?k={k}&order={order}")  # no cursor of one order holds in another
    if k is not None:
        items, cursor = cuts.clusters(res.storage, found, k, order, paging)
        return Page(items=items, next_cursor=cursor)
    rows, cursor = repository.clusters(session, clustering_id, order, paging)
    return Page(items=[service.shown_cluster(row) for row in rows], next_cursor=cursor)


@router.get(
    "/clusterings/{clustering_id}/clusters/{n}", operation_id="getCluster", responses=responses(404, 409, 422, 503)
)
def cluster(clustering_id: UUID, n: Number, session: ReadSession, res: Res, k: CutQuery = None) -> ClusterOut:
    """One cluster."""
    if k is not None:
        return cuts.cluster(res.storage, repository.get(session, clustering_id), k, n)
    return service.shown_cluster(repository.cluster(session, clustering_id, n))


@router.get(
    "/clusterings/{clustering_id}/clusters/{n}/images",
    operation_id="listClusterImages",
    responses=responses(404, 409, 422, 503),
)
def images(
    clustering_id: UUID, n: Number, session: ReadSession, res: Res, paging: PagingQuery, k: CutQuery = None
) -> Page[MemberOut]:
    """A cluster's images, most typical first."""
    if k is not None:
        found = repository.get(session, clustering_id)
        rows, cursor = cuts.members(session, res.storage, found, k, n, paging)
        return Page(items=service.shown_members(session, rows), next_cursor=cursor)
    repository.cluster(session, clustering_id, n)
    rows, cursor = repository.members(session, clustering_id, n, paging)
    return Page(items=service.shown_members(session, rows), next_cursor=cursor)


@router.get(
    "/clusterings/{clustering_id}/assignments",
    operation_id="exportAssignments",
    response_class=StreamingResponse,
    responses={200: {"content": _EXPORTS}, **responses(404, 409, 422, 503)},
)
def assignments(
    clustering_id: UUID,
    session: ReadSession,
    res: Res,
    format: Literal["csv", "json", "parquet"] = "csv",
    k: CutQuery = None,
) -> StreamingResponse:
    """Every image with its cluster, streamed as CSV, JSON or Parquet."""
    found = repository.get(session, clustering_id)
    if k is not None:
        cuts.cut(res.storage, found, k)  # says now what would end a stream that has begun
    media_type, written = FORMATS[format]
    headers = {"Content-Disposition": f'attachment; filename="assignments-{clustering_id}.{format}"'}
    return StreamingResponse(written(_members(res, clustering_id, k)), media_type=media_type, headers=headers)


def _members(res: Resources, clustering_id: UUID, k: int | None) -> Iterator[Member]:
    """In a session of its own: the request's is over when the stream begins."""
    with res.database.reading() as session:
        if k is None:
            yield from repository.assignments(session, clustering_id)
        else:
            yield from cuts.assignments(session, res.storage, repository.get(session, clustering_id), k)


@router.post(
    "/clusterings/{clustering_id}/evaluations",
    operation_id="evaluateClustering",
    openapi_extra=_LABELS | READ,
    responses=responses(404, 413, 415, 422, 503),
)
async def evaluate(clustering_id: UUID, request: Request, res: Res) -> EvaluationOut:
    """Compare the clusters with labels: {"labels": {"name or image_id": "label"}}, or CSV lines name,label."""
    kind, body = await _body(request)

    def work() -> EvaluationOut:
        labels = _labels(kind, body)
        with res.database.reading() as session:
            return service.evaluate(session, clustering_id, labels)

    return await run_in_threadpool(work)


async def _body(request: Request) -> tuple[str, bytes]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("application/json", "text/csv"):
        raise UnsupportedType("Send the labels as application/json or text/csv.")
    room = Room(MAX_LABELS_BYTES, TooLarge("The labels are larger than 200 MB.", code="labels_too_large"))
    return kind, b"".join([chunk async for chunk in stream(request, room)])


def _labels(kind: str, body: bytes) -> dict[str, str]:
    try:
        if kind == "text/csv":
            return _from_csv(body.decode("utf-8-sig"))
        return LabelsIn.model_validate(json.loads(body)).labels
    except (ValueError, RecursionError, csv.Error) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "not what the content type says"
        raise Invalid(f"The labels can't be read: {detail}.", code="labels_invalid") from error


def _from_csv(text: str) -> dict[str, str]:
    """Two columns, image and label; a first line like "name,label" is a heading."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if any(len(row) != 2 for row in rows):
        raise Invalid("Each line needs two columns: an image's name or id, and its label.", code="labels_invalid")
    heading = bool(rows) and rows[0][0].lower() in ("name", "image_id") and rows[0][1].lower() == "label"
    return {name: label for name, label in rows[heading:]}
