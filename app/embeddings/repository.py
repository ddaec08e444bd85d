"""Queries on embedding sets, their shards, and the indexes built on them."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Embedding, EmbeddingSet, EmbeddingShard, Encoder, Image, SearchIndex
from app.storage import Storage


def ensure(session: Session, collection_id: UUID, encoder: Encoder, sha256: str) -> EmbeddingSet:
    """The set of these weights on this collection, made if it is not there."""
    query = select(EmbeddingSet).where(
        EmbeddingSet.collection_id == collection_id,
        EmbeddingSet.encoder_id == encoder.id,
        EmbeddingSet.sha256 == sha256,
    )
    if found := session.scalars(query).first():
        return found
    made = EmbeddingSet(
        collection_id=collection_id, encoder_id=encoder.id, sha256=sha256, dim=encoder.dim, created_at=now(session)
    )
    session.add(made)
    session.flush()
    return made


def newest(session: Session, collection_id: UUID, encoder_id: UUID | None = None) -> EmbeddingSet | None:
    """The set made last, of one encoder or of any."""
    query = select(EmbeddingSet).where(EmbeddingSet.collection_id == collection_id)
    if encoder_id:
        query = query.where(EmbeddingSet.encoder_id == encoder_id)
    return session.scalars(query.order_by(EmbeddingSet.id.desc()).limit(1)).first()


def of_encoder(session: Session, encoder_id: UUID) -> list[EmbeddingSet]:
    return list(session.scalars(select(EmbeddingSet).where(EmbeddingSet.encoder_id == encoder_id)))


def count(session: Session, set_id: UUID) -> int:
    return session.execute(select(func.count()).where(Embedding.set_id == set_id)).scalar_one()


def missing(session: Session, embedding_set: EmbeddingSet, limit: int, after: UUID | None = None) -> list[UUID]:
    """The next ready images of the collection that have no vector yet."""
    query = _missing(embedding_set)
    if after:
        query = query.where(Image.id > after)
    return list(session.scalars(query.order_by(Image.id).limit(limit)))


def missing_between(session: Session, embedding_set: EmbeddingSet, first: UUID, last: UUID) -> list[UUID]:
    """Those of `missing` from one id to another, both included."""
    query = _missing(embedding_set).where(Image.id.between(first, last))
    return list(session.scalars(query.order_by(Image.id)))


def missing_count(session: Session, embedding_set: EmbeddingSet) -> int:
    ready = select(func.count()).where(Image.collection_id == embedding_set.collection_id, Image.status == "ready")
    return session.execute(ready).scalar_one() - count(session, embedding_set.id)


def add_shard(session: Session, shard: EmbeddingShard, image_ids: Sequence[UUID]) -> None:
    """A stored shard and whose rows it holds; images deleted in the meantime are left out."""
    session.add(shard)
    session.flush()
    alive = set(session.scalars(select(Image.id).where(Image.id.in_(image_ids))))
    session.add_all(
        Embedding(set_id=shard.set_id, image_id=image_id, shard_id=shard.id, row=row)
        for row, image_id in enumerate(image_ids)
        if image_id in alive
    )
    session.flush()


def blocks(session: Session, storage: Storage, set_id: UUID) -> Iterator[tuple[list[UUID], np.ndarray]]:
    """Ids and vectors (B, D) of a whole set, shard by shard: what is in memory does not grow with the set."""
    shards = session.scalars(select(EmbeddingShard).where(EmbeddingShard.set_id == set_id).order_by(EmbeddingShard.id))
    for shard in shards.all():
        rows = session.execute(
            select(Embedding.image_id, Embedding.row)
            .where(Embedding.set_id == set_id, Embedding.shard_id == shard.id)
            .order_by(Embedding.row)
        ).all()
        if rows:
            vectors = np.load(storage.local(shard.key), mmap_mode="r", allow_pickle=False)
            yield [row.image_id for row in rows], np.asarray(vectors[[row.row for row in rows]])


def vectors(session: Session, storage: Storage, set_id: UUID, image_ids: Sequence[UUID]) -> np.ndarray:
    """Vectors (N, D) of these images, in their order. KeyError for one that has none."""
    place, files = _places(session, storage, set_id, image_ids)
    return np.stack([files[key][row] for key, row in (place[image_id] for image_id in image_ids)])


def present(
    session: Session, storage: Storage, set_id: UUID, image_ids: Sequence[UUID]
) -> tuple[list[UUID], np.ndarray]:
    """Those of these images that have a vector, in their order, and the vectors (N, D)."""
    place, files = _places(session, storage, set_id, image_ids)
    found = [image_id for image_id in image_ids if image_id in place]
    rows = [files[key][row] for key, row in (place[image_id] for image_id in found)]
    return found, np.stack(rows) if rows else np.empty((0, 0), np.float32)


def _places(
    session: Session, storage: Storage, set_id: UUID, image_ids: Sequence[UUID]
) -> tuple[dict[UUID, tuple[str, int]], dict[str, np.ndarray]]:
    """In which file and row the vector of each image is, and the files, memory-mapped."""
    rows = session.execute(
        select(Embedding.image_id, Embedding.row, EmbeddingShard.key)
        .join(EmbeddingShard, EmbeddingShard.id == Embedding.shard_id)
        .where(Embedding.set_id == set_id, Embedding.image_id.in_(image_ids))
    )
    place = {row.image_id: (row.key, row.row) for row in rows}
    keys = {key for key, _ in place.values()}
    return place, {key: np.load(storage.local(key), mmap_mode="r", allow_pickle=False) for key in keys}


def ids(session: Session, set_id: UUID) -> np.ndarray:
    """(N, 16) uint8, the ids of all images that have a vector, ascending; 16 bytes each."""
    raw = bytearray()
    query = select(Embedding.image_id).where(Embedding.set_id == set_id).order_by(Embedding.image_id)
    for image_id in session.scalars(query.execution_options(yield_per=10_000)):
        raw += image_id.bytes
    return np.frombuffer(bytes(raw), np.uint8).reshape(-1, 16)


def newest_shard(session: Session, set_id: UUID) -> UUID | None:
    query = select(EmbeddingShard.id).where(EmbeddingShard.set_id == set_id)
    return session.scalar(query.order_by(EmbeddingShard.id.desc()).limit(1))


def newest_index(session: Session, set_id: UUID) -> SearchIndex | None:
    query = select(SearchIndex).where(SearchIndex.set_id == set_id).order_by(SearchIndex.id.desc()).limit(1)
    return session.scalars(query).first()


def indexes(session: Session, set_id: UUID) -> list[SearchIndex]:
    """Every generation, newest first."""
    return list(
        session.scalars(select(SearchIndex).where(SearchIndex.set_id == set_id).order_by(SearchIndex.id.desc()))
    )


def shard_keys(session: Session, set_id: UUID) -> set[str]:
    return set(session.scalars(select(EmbeddingShard.key).where(EmbeddingShard.set_id == set_id)))


def _missing(embedding_set: EmbeddingSet) -> Select[UUID]:
    has_vector = select(Embedding.image_id).where(Embedding.set_id == embedding_set.id, Embedding.image_id == Image.id)
    return select(Image.id).where(
        Image.collection_id == embedding_set.collection_id, Image.status == "ready", ~has_vector.exists()
    )
