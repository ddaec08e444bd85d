"""Queries on collections."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from app.db.tables import Cluster, Clustering, Collection, Image, Job
from app.errors import NotFound
from app.pagination import Paging, page


class Newest(NamedTuple):
    clustering_id: UUID | None
    job_id: UUID | None


def get(session: Session, collection_id: UUID, *, lock: bool = False) -> Collection:
    found = session.get(Collection, collection_id, with_for_update=lock or None)
    if found is None:
        raise NotFound(
            f"There is no collection {collection_id}; GET /v1/collections lists them.", code="collection_not_found"
        )
    return found


def listed(session: Session, paging: Paging) -> tuple[list[Collection], str | None]:
    return page(session, select(Collection), paging, Collection.id, value=lambda row: [row.id], descending=True)


def counts(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[str, tuple[int, int]]]:
    """Images and bytes by status, for each collection."""
    rows = session.execute(
        select(Image.collection_id, Image.status, func.count(), func.coalesce(func.sum(Image.bytes), 0))
        .where(Image.collection_id.in_(list(ids)))
        .group_by(Image.collection_id, Image.status)
    )
    found: dict[UUID, dict[str, tuple[int, int]]] = {}
    for collection_id, status, count, size in rows:
        found.setdefault(collection_id, {})[status] = (count, int(size))
    return found


def used(session: Session, collection_id: UUID) -> tuple[int, int]:
    """Bytes and number of all images, whatever their status."""
    query = select(func.coalesce(func.sum(Image.bytes), 0), func.count()).where(Image.collection_id == collection_id)
    size, count = session.execute(query).one()
    return int(size), int(count)


def newest(session: Session, ids: Iterable[UUID]) -> dict[UUID, Newest]:
    """The newest clustering of each collection, and its newest job that is not over."""
    clustering = select(Clustering.id).where(Clustering.collection_id == Collection.id).order_by(Clustering.id.desc())
    job = select(Job.id).where(Job.collection_id == Collection.id, Job.state.in_(("queued", "running")))
    query = select(
        Collection.id,
        clustering.limit(1).scalar_subquery(),
        job.order_by(Job.id.desc()).limit(1).scalar_subquery(),
    ).where(Collection.id.in_(list(ids)))
    return {collection_id: Newest(*found) for collection_id, *found in session.execute(query)}


def typical(session: Session, clusterings: Iterable[UUID], count: int) -> dict[UUID, list[list[UUID]]]:
    """Of each clustering's `count` biggest clusters the representatives, biggest first, also deleted ones."""
    rank = func.row_number().over(partition_by=Cluster.clustering_id, order_by=(Cluster.size.desc(), Cluster.number))
    ranked = (
        select(Cluster.clustering_id, Cluster.number, rank.label("rank"))
        .where(Cluster.clustering_id.in_(list(clusterings)), Cluster.size > 0)
        .subquery()
    )
    query = (
        select(Cluster.clustering_id, Cluster.representatives)
        .join(ranked, (ranked.c.clustering_id == Cluster.clustering_id) & (ranked.c.number == Cluster.number))
        .where(ranked.c.rank <= count)
        .order_by(Cluster.clustering_id, ranked.c.rank)
    )
    found: dict[UUID, list[list[UUID]]] = {}
    for clustering_id, representatives in session.execute(query):
        found.setdefault(clustering_id, []).append([UUID(one) for one in representatives])
    return found


def first_ready(session: Session, ids: Iterable[UUID], count: int) -> dict[UUID, list[UUID]]:
    """Each collection's first images that are decoded: so many looks into an index, however many images there are."""
    query = select(Collection.id, *(_ready(place) for place in range(count))).where(Collection.id.in_(list(ids)))
    return {row[0]: [image for image in row[1:] if image] for row in session.execute(query)}


def _ready(place: int) -> ScalarSelect[Any]:
    query = select(Image.id).where(Image.collection_id == Collection.id, Image.status == "ready")
    return query.order_by(Image.id).offset(place).limit(1).scalar_subquery()
