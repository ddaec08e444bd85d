"""Queries on propagations and what they say of each image."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.tables import Assignment, Cluster, Clustering, EmbeddingSet, Image, Prediction, Propagation
from app.errors import NotFound
from app.images.repository import PARAMETERS
from app.pagination import Paging, page


class Labelled(NamedTuple):
    image_id: UUID
    name: str
    label: str | None
    guess: str
    confidence: float
    given: bool


def get(session: Session, propagation_id: UUID) -> Propagation:
    """A propagation that is complete."""
    found = session.get(Propagation, propagation_id)
    if found and found.complete:
        return found
    raise NotFound(f"There is no propagation {propagation_id}.", code="propagation_not_found")


def listed(session: Session, clustering_id: UUID, paging: Paging) -> tuple[list[Propagation], str | None]:
    query = select(Propagation).where(Propagation.clustering_id == clustering_id, Propagation.complete)
    return page(session, query, paging, Propagation.id, value=lambda row: [row.id], descending=True)


def predictions(
    session: Session, propagation_id: UUID, paging: Paging, *, label: str | None, unknown: bool | None
) -> tuple[list[Prediction], str | None]:
    """What images were labelled, in order of id; those of one label, or those that are unknown or not."""
    query = select(Prediction).where(Prediction.propagation_id == propagation_id)
    if label is not None:
        query = query.where(Prediction.label == label)
    if unknown is not None:
        query = query.where(Prediction.label.is_(None) if unknown else Prediction.label.is_not(None))
    return page(session, query, paging, Prediction.image_id, value=lambda row: [row.image_id])


def review(session: Session, propagation_id: UUID, paging: Paging) -> tuple[list[Prediction], str | None]:
    """Images that nobody named, those first whose answer helps most."""
    query = select(Prediction).where(Prediction.propagation_id == propagation_id, ~Prediction.given)
    key = (Prediction.worth, Prediction.image_id)
    return page(session, query, paging, *key, value=lambda row: [row.worth, row.image_id], descending=True)


def rows(session: Session, propagation_id: UUID) -> Iterator[Labelled]:
    """Every image with its label, in order of id, in constant memory."""
    query = (
        select(
            Prediction.image_id,
            Image.name,
            Prediction.label,
            Prediction.guess,
            Prediction.confidence,
            Prediction.given,
        )
        .join(Image, Image.id == Prediction.image_id)
        .where(Prediction.propagation_id == propagation_id)
        .order_by(Prediction.image_id)
    )
    for row in session.execute(query.execution_options(yield_per=1000)):
        yield Labelled(*row)


def names(session: Session, propagation_id: UUID) -> dict[UUID, str]:
    """The names that people gave, by image."""
    query = select(Prediction.image_id, Prediction.guess).where(
        Prediction.propagation_id == propagation_id, Prediction.given
    )
    return {image_id: label for image_id, label in session.execute(query)}


def labels_given(session: Session, propagation_id: UUID) -> set[str]:
    query = select(Prediction.guess).where(Prediction.propagation_id == propagation_id, Prediction.given)
    return set(session.scalars(query.distinct()))


def in_clustering(session: Session, clustering_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these images the clustering has placed, in a cluster or in none."""
    return _which(session, ids, Assignment.image_id, Assignment.clustering_id == clustering_id)


def in_collection(session: Session, collection_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    return _which(session, ids, Image.id, Image.collection_id == collection_id)


def _which(
    session: Session, ids: Iterable[UUID], column: InstrumentedAttribute[UUID], condition: ColumnElement[bool]
) -> set[UUID]:
    found: set[UUID] = set()
    rest = iter(ids)
    while part := list(islice(rest, PARAMETERS)):
        found |= set(session.scalars(select(column).where(condition, column.in_(part))))
    return found


def labelled_clusters(session: Session, clustering_id: UUID) -> dict[int, str]:
    query = select(Cluster.number, Cluster.label).where(
        Cluster.clustering_id == clustering_id, Cluster.label.is_not(None)
    )
    return {number: label for number, label in session.execute(query) if label}


def cluster_numbers(session: Session, clustering_id: UUID, numbers: Iterable[int]) -> set[int]:
    """Which of these clusters there are."""
    query = select(Cluster.number).where(Cluster.clustering_id == clustering_id, Cluster.number.in_(list(numbers)))
    return set(session.scalars(query))


def places(session: Session, clustering_id: UUID) -> dict[UUID, int | None]:
    """Every image of the clustering, and its cluster."""
    query = select(Assignment.image_id, Assignment.number).where(Assignment.clustering_id == clustering_id)
    return {image_id: number for image_id, number in session.execute(query.execution_options(yield_per=10_000))}


def embedding_set(session: Session, clustering: Clustering) -> EmbeddingSet:
    """The vectors that the clustering was made of."""
    query = select(EmbeddingSet).where(
        EmbeddingSet.collection_id == clustering.collection_id,
        EmbeddingSet.encoder_id == clustering.encoder_id,
        EmbeddingSet.sha256 == clustering.encoder_sha256,
    )
    return session.scalars(query).one()


def forget_incomplete(session: Session, clustering_id: UUID) -> None:
    """Take away what jobs that did not come to their end left."""
    query = delete(Propagation).where(Propagation.clustering_id == clustering_id, ~Propagation.complete)
    session.execute(query)
