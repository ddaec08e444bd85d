"""Which index answers for a collection, and which of its images a filter admits."""

from collections.abc import Iterable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings_repository
from app.db.tables import EmbeddingSet, Encoder, Image, SearchIndex
from app.embeddings import repository as embeddings
from app.errors import Conflict, NotFound
from app.images import repository as images_repository
from app.search.schemas import Filters


def index_of(session: Session, collection_id: UUID, encoder: Encoder | None) -> tuple[EmbeddingSet, SearchIndex]:
    """The newest index of the collection, of one encoder or of the one used last."""
    embedding_set = embeddings.newest(session, collection_id, encoder.id if encoder else None)
    index = embeddings.newest_index(session, embedding_set.id) if embedding_set else None
    if embedding_set is None or index is None:
        raise Conflict(
            "The collection has no index for this encoder yet; start one with POST .../clusterings.", code="not_indexed"
        )
    return embedding_set, index


def check_members(session: Session, collection_id: UUID, image_ids: Iterable[UUID]) -> None:
    """NotFound for an image that is not of this collection."""
    wanted = set(image_ids)
    here = set(session.scalars(select(Image.id).where(Image.collection_id == collection_id, Image.id.in_(wanted))))
    if missing := wanted - here:
        raise NotFound(f"There is no image {min(missing)} in this collection.", code="image_not_found")


def admitted(session: Session, collection_id: UUID, filters: Filters) -> Select[Image] | None:
    """The images of the collection that the filters admit; None when there are no filters."""
    given = filters.given()
    if not given:
        return None
    cluster = str(given["cluster"]) if "cluster" in given else None
    return images_repository.filtered(
        collection_id,
        status=None,
        cluster=clusterings_repository.cluster_of(session, collection_id, cluster) if cluster else None,
        taken_after=filters.taken_after,
        taken_before=filters.taken_before,
        camera=filters.camera,
        name=filters.name,
    )


def names(session: Session, query: Select[Image] | None, ids: list[UUID]) -> dict[UUID, str]:
    """Names of those of these images that exist and that the query admits."""
    if query is None:
        return images_repository.names(session, ids)
    rows = session.execute(query.with_only_columns(Image.id, Image.name).where(Image.id.in_(ids)))
    return {image_id: name for image_id, name in rows}


def ids(session: Session, query: Select[Image]) -> NDArray[np.uint8]:
    """(M, 16) the ids of all that the query admits; 16 bytes each, where a million UUIDs would take 100 MB."""
    raw = bytearray()
    for image_id in session.scalars(query.with_only_columns(Image.id).execution_options(yield_per=10_000)):
        raw += image_id.bytes
    return np.frombuffer(bytes(raw), np.uint8).reshape(-1, 16)
