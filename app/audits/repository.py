"""Queries on audits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Assignment, Audit, Clustering
from app.errors import NotFound
from app.pagination import Paging, page


def get(session: Session, audit_id: UUID, *, lock: bool = False) -> Audit:
    if found := session.get(Audit, audit_id, with_for_update=lock or None):
        return found
    raise NotFound(f"There is no audit {audit_id}.", code="audit_not_found")


def listed(session: Session, clustering_id: UUID, paging: Paging) -> tuple[list[Audit], str | None]:
    query = select(Audit).where(Audit.clustering_id == clustering_id)
    return page(session, query, paging, Audit.id, value=lambda row: [row.id], descending=True)


def size(session: Session, clustering_id: UUID, number: int) -> int:
    """How many images are in a cluster now."""
    query = select(func.count()).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    return session.execute(query).scalar_one()


def members_at(session: Session, clustering_id: UUID, number: int, places: Sequence[int]) -> list[UUID]:
    """The images at these places of the cluster in order of id, in the order of `places`; in constant memory."""
    query = select(Assignment.image_id).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    wanted = set(places)
    rows = session.scalars(query.order_by(Assignment.image_id).execution_options(yield_per=1000))
    found = {place: image_id for place, image_id in enumerate(rows) if place in wanted}
    return [found[place] for place in places]


def revisions(session: Session, audits: Sequence[Audit]) -> dict[UUID, int]:
    """The present revision of each audit's clustering."""
    ids = {audit.clustering_id for audit in audits}
    rows = session.execute(select(Clustering.id, Clustering.revision).where(Clustering.id.in_(ids)))
    return {clustering_id: revision for clustering_id, revision in rows}
