"""Queries on how unlike the rest images are."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Assignment
from app.pagination import Paging, page


def listed(
    session: Session, clustering_id: UUID, at_least: float, paging: Paging
) -> tuple[list[Assignment], str | None]:
    """Images with such a score or more, most odd first."""
    query = select(Assignment).where(Assignment.clustering_id == clustering_id, Assignment.outlier_score >= at_least)
    return page(
        session, query, paging, Assignment.outlier_score, Assignment.image_id,
        value=lambda row: [row.outlier_score, row.image_id], descending=True,
    )  # fmt: skip


def scored(session: Session, clustering_id: UUID) -> bool:
    """Whether any image has a score."""
    query = select(func.max(Assignment.outlier_score)).where(Assignment.clustering_id == clustering_id)
    return session.execute(query).scalar_one() is not None
