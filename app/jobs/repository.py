"""Queries on jobs."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import Job
from app.errors import NotFound
from app.pagination import Paging, page


def get(session: Session, job_id: UUID) -> Job:
    if found := session.get(Job, job_id, populate_existing=True):
        return found
    raise NotFound(f"There is no job {job_id}; GET /v1/jobs lists them.", code="job_not_found")


def unfinished(session: Session, collection_id: UUID) -> list[Job]:
    """What is queued or runs for a collection, oldest first."""
    query = select(Job).where(Job.collection_id == collection_id, Job.state.in_(("queued", "running")))
    return list(session.scalars(query.order_by(Job.id)))


def waiting(session: Session, collection_id: UUID, kind: str) -> Job | None:
    """The last job of this kind without input of its own that nobody has begun; locked, so that nobody does now."""
    query = select(Job).where(
        Job.collection_id == collection_id,
        Job.kind == kind,
        Job.state == "queued",
        Job.attempt == 0,
        Job.input_key.is_(None),
        ~Job.cancel_requested,
    )
    return session.scalars(query.order_by(Job.id.desc()).limit(1).with_for_update()).first()


def listed(
    session: Session, paging: Paging, state: str | None, collection: UUID | None
) -> tuple[list[Job], str | None]:
    query = select(Job)
    if state:
        query = query.where(Job.state == state)
    if collection:
        query = query.where(Job.collection_id == collection)
    return page(session, query, paging, Job.id, value=lambda row: [row.id], descending=True)
