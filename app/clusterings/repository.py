"""Queries on clusterings, their clusters and assignments."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clusterings.schemas import ClusterOrder
from app.db.tables import Assignment, Cluster, Clustering, Encoder, Image
from app.errors import Invalid, NotFound
from app.pagination import Paging, SortKey, page


class Member(NamedTuple):
    image_id: UUID
    name: str
    number: int | None
    label: str | None
    distance: float


def get(session: Session, clustering_id: UUID) -> Clustering:
    if found := session.get(Clustering, clustering_id):
        return found
    raise NotFound(f"There is no clustering {clustering_id}.", code="clustering_not_found")


def of_job(session: Session, job_id: UUID) -> Clustering | None:
    return session.scalars(select(Clustering).where(Clustering.job_id == job_id)).first()


def of_encoder(session: Session, encoder_id: UUID) -> list[Clustering]:
    return list(session.scalars(select(Clustering).where(Clustering.encoder_id == encoder_id)))


def listed(session: Session, collection_id: UUID, paging: Paging) -> tuple[list[Clustering], str | None]:
    query = select(Clustering).where(Clustering.collection_id == collection_id)
    return page(session, query, paging, Clustering.id, value=lambda row: [row.id], descending=True)


def encoder_names(session: Session, clusterings: list[Clustering]) -> dict[UUID, str]:
    ids = {row.encoder_id for row in clusterings}
    return {i: name for i, name in session.execute(select(Encoder.id, Encoder.name).where(Encoder.id.in_(ids)))}


def clusters(
    session: Session, clustering_id: UUID, order: ClusterOrder, paging: Paging
) -> tuple[list[Cluster], str | None]:
    """Those that have images: one that was merged away is not there until that is undone."""
    query = select(Cluster).where(Cluster.clustering_id == clustering_id, Cluster.size > 0)
    if order == "size":
        key: tuple[SortKey, ...] = (-Cluster.size, Cluster.number)
        return page(session, query, paging, *key, value=lambda row: [-row.size, row.number])
    if order == "cohesion":
        key = (-Cluster.cohesion, Cluster.number)
        return page(session, query, paging, *key, value=lambda row: [-row.cohesion, row.number])
    return page(session, query, paging, Cluster.number, value=lambda row: [row.number])


def cluster(session: Session, clustering_id: UUID, number: int) -> Cluster:
    get(session, clustering_id)
    if number < 2**31 and (found := session.get(Cluster, (clustering_id, number))):
        return found
    raise NotFound(f"There is no cluster {number} in this clustering.", code="cluster_not_found")


def members(session: Session, clustering_id: UUID, number: int, paging: Paging) -> tuple[list[Assignment], str | None]:
    """Images of one cluster, most typical first."""
    query = select(Assignment).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    return page(
        session, query, paging, Assignment.distance, Assignment.image_id, value=lambda row: [row.distance, row.image_id]
    )


def assignments(session: Session, clustering_id: UUID) -> Iterator[Member]:
    """Every assignment, cluster by cluster and most typical first, in constant memory."""
    query = (
        select(Assignment.image_id, Image.name, Assignment.number, Cluster.label, Assignment.distance)
        .join(Image, Image.id == Assignment.image_id)
        .outerjoin(Cluster, (Cluster.clustering_id == Assignment.clustering_id) & (Cluster.number == Assignment.number))
        .where(Assignment.clustering_id == clustering_id)
        .order_by(Assignment.number, Assignment.distance, Assignment.image_id)
    )
    for row in session.execute(query.execution_options(yield_per=1000)):
        yield Member(*row)


def cluster_of(session: Session, collection_id: UUID, text: str) -> tuple[UUID, int]:
    """What `?cluster=` means: N in the collection's newest clustering, or CLUSTERING:N."""
    name, _, number = text.rpartition(":")
    try:
        clustering_id, wanted = (UUID(name) if name else None), int(number)
    except ValueError as error:
        raise Invalid("cluster: give a cluster's number, or CLUSTERING:NUMBER.", code="cluster_invalid") from error
    query = select(Clustering.id).where(Clustering.collection_id == collection_id).order_by(Clustering.id.desc())
    if clustering_id:
        query = query.where(Clustering.id == clustering_id)
    found = session.scalars(query.limit(1)).first()
    if found is None or not 0 <= wanted < 2**31:
        raise NotFound("There is no such clustering in this collection.", code="clustering_not_found")
    return found, wanted


def missing(session: Session, clustering: Clustering, limit: int) -> list[UUID]:
    """Ready images of the collection that are in no cluster yet, in the order they came."""
    assigned = select(Assignment.image_id).where(
        Assignment.clustering_id == clustering.id, Assignment.image_id == Image.id
    )
    query = select(Image.id).where(
        Image.collection_id == clustering.collection_id, Image.status == "ready", ~assigned.exists()
    )
    return list(session.scalars(query.order_by(Image.id).limit(limit)))
