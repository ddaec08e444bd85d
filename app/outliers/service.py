"""The images of a clustering that are unlike the rest."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings_repository
from app.errors import Conflict
from app.images import repository as images_repository
from app.outliers import repository
from app.outliers.schemas import OutlierOut
from app.pagination import Page, Paging


def listed(session: Session, clustering_id: UUID, at_least: float, paging: Paging) -> Page[OutlierOut]:
    """Most odd first. Raises Conflict for a clustering made before images were scored."""
    clusterings_repository.get(session, clustering_id)
    rows, cursor = repository.listed(session, clustering_id, at_least, paging)
    if not rows and not paging.cursor and not repository.scored(session, clustering_id):
        raise Conflict(
            "This clustering was made before images were scored; POST .../clusterings makes one that has scores.",
            code="outliers_not_scored",
        )
    names = images_repository.names(session, [row.image_id for row in rows])
    items = [
        OutlierOut(
            image_id=row.image_id, name=names.get(row.image_id, ""), cluster=row.number, score=row.outlier_score or 0.0
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)
