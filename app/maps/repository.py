"""Who is on a map now."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Assignment


def clusters(session: Session, clustering_id: UUID, image_ids: list[UUID]) -> dict[UUID, int | None]:
    """Where those of these images are that still exist; None in no cluster."""
    found: dict[UUID, int | None] = {}
    for start in range(0, len(image_ids), 10_000):
        rows = session.execute(
            select(Assignment.image_id, Assignment.number).where(
                Assignment.clustering_id == clustering_id, Assignment.image_id.in_(image_ids[start : start + 10_000])
            )
        )
        found |= {row.image_id: row.number for row in rows}
    return found


def count(session: Session, clustering_id: UUID) -> int:
    """Images in the clustering that still exist."""
    return session.execute(select(func.count()).where(Assignment.clustering_id == clustering_id)).scalar_one()
