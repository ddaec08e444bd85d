"""Queries on images."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.db.tables import Assignment, Image
from app.errors import NotFound
from app.pagination import Paging, page

PARAMETERS = 10_000  # of one statement; SQLite takes 32,766 at most, PostgreSQL 65,535


def get(session: Session, image_id: UUID) -> Image:
    if found := session.get(Image, image_id):
        return found
    raise gone(image_id)


def gone(image_id: UUID) -> NotFound:
    return NotFound(f"There is no image {image_id}.", code="image_not_found")


def by_sha256(session: Session, collection_id: UUID, hashes: Iterable[str]) -> dict[str, Image]:
    """Which of these files the collection has already."""
    query = select(Image).where(Image.collection_id == collection_id, Image.sha256.in_(list(hashes)))
    return {image.sha256: image for image in session.scalars(query)}


def names(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of those of these images that still exist."""
    found: dict[UUID, str] = {}
    rest = iter(ids)
    while part := list(islice(rest, PARAMETERS)):
        rows = session.execute(select(Image.id, Image.name).where(Image.id.in_(part)))
        found |= {image_id: name for image_id, name in rows}
    return found


def any_named(session: Session, collection_id: UUID, ids_or_names: Container[str]) -> bool:
    """Whether at least one image of the collection has one of these ids or names; in constant memory."""
    query = select(Image.id, Image.name).where(Image.collection_id == collection_id)
    rows = session.execute(query.execution_options(yield_per=1000))
    return any(str(row.id) in ids_or_names or row.name in ids_or_names for row in rows)


def count(session: Session, collection_id: UUID, status: str) -> int:
    query = select(func.count()).where(Image.collection_id == collection_id, Image.status == status)
    return session.execute(query).scalar_one()


def pending(session: Session, collection_id: UUID, after: UUID | None, limit: int) -> list[Image]:
    """The next images that wait to be decoded, in the order they came."""
    query = select(Image).where(Image.collection_id == collection_id, Image.status == "pending")
    if after:
        query = query.where(Image.id > after)
    return list(session.scalars(query.order_by(Image.id).limit(limit)))


def filtered(
    collection_id: UUID,
    *,
    status: str | None,
    cluster: tuple[UUID, int] | None,
    taken_after: datetime | None,
    taken_before: datetime | None,
    camera: str | None,
    name: str | None,
) -> Select[Image]:
    query = select(Image).where(Image.collection_id == collection_id)
    if cluster:
        query = query.join(Assignment, Assignment.image_id == Image.id)
        query = query.where(Assignment.clustering_id == cluster[0], Assignment.number == cluster[1])
    if status:
        query = query.where(Image.status == status)
    if taken_after:
        query = query.where(Image.taken_at >= taken_after)
    if taken_before:
        query = query.where(Image.taken_at < taken_before)
    if camera:
        query = query.where(Image.camera == camera)
    if name:
        query = query.where(Image.name.icontains(name, autoescape=True))
    return query


def listed(session: Session, query: Select[Image], paging: Paging) -> tuple[list[Image], str | None]:
    return page(session, query, paging, Image.id, value=lambda row: [row.id])


def of_job(session: Session, job_id: UUID) -> Iterator[Image]:
    """Every image that an upload job brought, in the order of its archive, in constant memory."""
    query = select(Image).where(Image.job_id == job_id).order_by(Image.id)
    yield from session.scalars(query.execution_options(yield_per=500))
