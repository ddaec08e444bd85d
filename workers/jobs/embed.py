"""Vectors for the images that have none yet, in shards: each shard is one file and one transaction."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np

from app.db.tables import EmbeddingSet, EmbeddingShard, Encoder, Image
from app.embeddings import repository
from app.embeddings.service import shards
from app.encoders import service
from app.ids import new_id
from app.images.service import working_key
from models.embedding import WorkingCopyUnreadable, embed
from models.engines import open_engine
from models.engines.base import Engine
from workers.context import Context, JobFailed

SHARD = 256  # images: what a crash can cost
BROUGHT = 64  # working copies fetched together


def embed_missing(context: Context, encoder: Encoder, embedding_set: EmbeddingSet) -> None:
    """Embed every ready image that has no vector in the set. An image deleted meanwhile is passed over."""
    while True:
        try:
            return _embed(context, encoder, embedding_set)
        except WorkingCopyUnreadable as error:
            with context.database.reading() as session:
                if error.path is None or session.get(Image, UUID(error.path.stem)) is not None:
                    raise JobFailed("working_copy_unreadable", f"{error}; upload the image again.") from error


def fetch(context: Context, encoder: Encoder) -> None:
    """Get an encoder's weights from its hub where the network allows. EncoderUnavailable says what to do otherwise."""
    context.progress("fetch", 0, None, "encoders")
    _open(context, encoder)


def _open(context: Context, encoder: Encoder) -> Engine:
    settings = context.settings
    plugin = service.plugin(context.storage, encoder)
    return open_engine(plugin, device=settings.device, cache=settings.encoder_cache, precision=settings.precision)


def _embed(context: Context, encoder: Encoder, embedding_set: EmbeddingSet) -> None:
    with context.database.reading() as session:
        total = repository.missing_count(session, embedding_set)
        known = repository.shard_keys(session, embedding_set.id)
    context.drop_unpublished(shards(embedding_set), known)
    if total <= 0:
        return
    context.progress("embed", 0, total, "images")
    engine = _open(context, encoder)
    done = 0
    for ids, vectors in _shards(context, embedding_set, engine, total):
        shard = _store(context, embedding_set, vectors)
        done += len(ids)
        with context.step("embed", done, total, "images") as session:
            repository.add_shard(session, shard, ids)


def _shards(
    context: Context, embedding_set: EmbeddingSet, engine: Engine, total: int
) -> Iterator[tuple[list[UUID], np.ndarray]]:
    """Ids and vectors (SHARD, D), while decoding and inference go on without a pause between shards."""
    order: list[UUID] = []
    pending: list[np.ndarray] = []
    done = 0
    for block in embed(_paths(context, embedding_set, order), engine):
        pending.append(block)
        ready = sum(map(len, pending))
        context.progress("embed", done + ready, total, "images")
        if ready >= SHARD:
            yield _cut(order, pending, ready)
            done += ready
            pending = []
    if pending:
        yield _cut(order, pending, sum(map(len, pending)))


def _cut(order: list[UUID], pending: list[np.ndarray], ready: int) -> tuple[list[UUID], np.ndarray]:
    """Take the first `ready` ids off the list that the reader fills."""
    ids = order[:ready]
    del order[:ready]
    return ids, np.concatenate(pending)


def _paths(context: Context, embedding_set: EmbeddingSet, order: list[UUID]) -> Iterator[Path]:
    """Working copies in order; notes in `order` whose each is."""
    last: UUID | None = None
    while True:
        with context.database.reading() as session:
            ids = repository.missing(session, embedding_set, 1024, last)
        if not ids:
            return
        for start in range(0, len(ids), BROUGHT):
            part = [(one, working_key(embedding_set.collection_id, one)) for one in ids[start : start + BROUGHT]]
            context.storage.bring(key for _, key in part)
            for image_id, key in part:
                order.append(image_id)
                yield context.storage.local(key)
        last = ids[-1]


def _store(context: Context, embedding_set: EmbeddingSet, vectors: np.ndarray) -> EmbeddingShard:
    """Write the shard's file; without its row nobody sees it."""
    shard_id = new_id()
    path = context.folder / f"{shard_id}.npy"
    np.save(path, vectors.astype(np.float32, copy=False), allow_pickle=False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    key = f"{shards(embedding_set)}/{shard_id}.npy"
    context.storage.put([(path, key)])
    return EmbeddingShard(id=shard_id, set_id=embedding_set.id, key=key, rows=len(vectors), sha256=digest)
