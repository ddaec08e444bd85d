"""/v1/clusterings/{id}/export"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.collections import repository as collections
from app.db.session import now
from app.db.tables import Clustering
from app.deps import ReadSession, Res
from app.encoders import repository as encoders
from app.errors import Invalid
from app.exports import repository
from app.exports.camtrap import Described, as_camtrap
from app.exports.coco import as_coco
from app.exports.service import Export, as_zip
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["exports"])
_CONTENT: dict[str, Any] = {
    "application/zip": {"schema": {"type": "string", "format": "binary"}},
    "application/json": {
        "schema": {"type": "object"},
        "example": {
            "images": [{"id": 1, "file_name": "wren/0012.jpg", "width": 500, "height": 375}],
            "categories": [{"id": 1, "name": "wren", "supercategory": "cluster"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1}],
        },
    },
}
Latitude = Annotated[float | None, Query(ge=-90, le=90, description="Camtrap DP: where the cameras stood (WGS84).")]
Longitude = Annotated[float | None, Query(ge=-180, le=180, description="Camtrap DP: likewise; both or neither.")]
Schemas = Annotated[
    Literal["inline", "linked"],
    Query(description="Camtrap DP: schemas in the package, or by address, as readers that know the standard want it."),
]


@router.get(
    "/clusterings/{clustering_id}/export",
    operation_id="exportClustering",
    response_class=StreamingResponse,
    responses={200: {"content": _CONTENT}, **responses(404, 422, 503)},
)
def export(
    clustering_id: UUID,
    request: Request,
    session: ReadSession,
    res: Res,
    format: Literal["zip", "coco", "camtrap-dp"],
    latitude: Latitude = None,
    longitude: Longitude = None,
    schemas: Schemas = "inline",
) -> StreamingResponse:
    """The clusters as folders in a zip, as COCO or as Camtrap DP, streamed."""
    clustering = clusterings.get(session, clustering_id)
    source = Export(res.database, res.storage, clustering.collection_id, clustering_id)
    described = _described(session, request, clustering, _place(latitude, longitude), linked=schemas == "linked")
    media_type, suffix, rows = _form(format, source, described)
    headers = {"Content-Disposition": f'attachment; filename="clusters-{clustering_id}.{suffix}"'}
    return StreamingResponse(rows, media_type=media_type, headers=headers)


def _form(format: str, source: Export, described: Described) -> tuple[str, str, Iterator[bytes]]:
    """Content type, the file name's end, and the bytes."""
    if format == "coco":
        return "application/json", "coco.json", as_coco(source)
    if format == "zip":
        return "application/zip", "zip", as_zip(source)
    return "application/zip", "camtrap-dp.zip", as_camtrap(source, described)


def _place(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    if latitude is not None and longitude is not None:
        return latitude, longitude
    if latitude is None and longitude is None:
        return None
    raise Invalid("Give latitude and longitude, or neither.", code="place_incomplete")


def _described(
    session: Session, request: Request, clustering: Clustering, place: tuple[float, float] | None, *, linked: bool
) -> Described:
    collection = collections.get(session, clustering.collection_id)
    encoder = encoders.get(session, clustering.encoder_id).name
    return Described(
        title=collection.name,
        description=collection.description,
        made_at=now(session),
        classified_by=f"Roost {clustering.version}, {clustering.algorithm} on {encoder}",
        files=f"{request.base_url}v1/images/{{}}/file",
        place=place,
        labels=repository.labels(session, clustering.id),
        linked=linked,
    )
