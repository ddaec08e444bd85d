"""Vectors for the images that have none yet. The job that needs them shares the work with whoever has time.

A job of kind `embed` is such a helper: workers/sharing.py starts it on a worker that has nothing better to do.
"""

from collections.abc import Iterator
from uuid import UUID

import structlog

from app.db.tables import EmbeddingSet, Encoder, Job
from app.embeddings import parts, repository
from app.embeddings.service import shard, shards
from app.encoders import repository as encoders
from app.encoders import service
from app.jobs.ledger import FINAL
from app.metrics.workers import alive
from models.embedding import WorkingCopyUnreadable
from models.engines import open_engine
from models.engines.base import Engine
from models.memory import no_memory
from workers.context import Context, JobFailed, Stopped
from workers.jobs.parts import Share, damaged

log = structlog.get_logger("roost.job")
PAGE = 8192  # ids read at a time
LOOK_EVERY_S = 1.0  # for the parts that others have taken


def embed_missing(context: Context, encoder: Encoder, embedding_set: EmbeddingSet) -> None:
    """Embed every ready image that has no vector in the set. An image deleted meanwhile is passed over."""
    with context.database.transaction() as session:
        parts.begin(session, embedding_set.id, context.job.id)
    _drop_unpublished(context, embedding_set)
    engine: Engine | None = None
    while total := _planned(context, embedding_set):
        share = Share(context, embedding_set, context.job.id, total)
        share.show()
        engine = engine or _open(context, encoder)
        try:
            _lead(context, share, engine)
        except Exception as error:
            if not no_memory(error) or engine.batch == 1:
                raise
            batch, engine = engine.batch // 2, None
        else:
            continue
        # Only here, where the error is gone that still held the batch, is there room for another engine.
        log.warning("memory ran out; going on with smaller batches", pictures=batch)
        share.give_back()
        engine = _open(context, encoder, batch)


def run(context: Context) -> None:
    """Help a job of another worker. What goes wrong is no harm: the leader embeds what nobody else does."""
    with context.database.reading() as session:
        leader = session.get(Job, UUID(context.job.params["job"]))
        embedding_set = session.get(EmbeddingSet, UUID(context.job.params["set"]))
        encoder = encoders.get(session, embedding_set.encoder_id) if embedding_set else None
    done = 0
    if leader and embedding_set and encoder and _wanted(context, leader):
        done = _help(context, leader, embedding_set, encoder)
    with context.succeed({"embedded": done}):
        pass


def fetch(context: Context, encoder: Encoder) -> None:
    """Get an encoder's weights from its hub where the network allows. EncoderUnavailable says what to do otherwise."""
    context.progress("fetch", 0, None, "encoders")
    _open(context, encoder)


def _open(context: Context, encoder: Encoder, batch: int | None = None) -> Engine:
    settings = context.settings
    plugin = service.plugin(context.storage, encoder)
    device, cache = settings.device, settings.encoder_cache
    return open_engine(plugin, device=device, cache=cache, batch=batch, precision=settings.precision)


def _planned(context: Context, embedding_set: EmbeddingSet) -> int:
    """Images in parts, which are written unless an earlier attempt has done so."""
    with context.database.reading() as session:
        if left := parts.left(session, embedding_set.id):
            return left
        total = repository.missing_count(session, embedding_set)
        shared = alive(session, context.settings).get(context.job.queue, 0) > 1
    runs = list(parts.cut(_missing(context, embedding_set), total, shared=shared)) if total > 0 else []
    with context.database.transaction() as session:
        parts.write(session, embedding_set.id, context.job.id, runs)
    return sum(images for _, _, images in runs)


def _missing(context: Context, embedding_set: EmbeddingSet) -> Iterator[UUID]:
    ids: list[UUID] = []
    while True:
        with context.database.reading() as session:
            ids = repository.missing(session, embedding_set, PAGE, ids[-1] if ids else None)
        if not ids:
            return
        yield from ids


def _drop_unpublished(context: Context, embedding_set: EmbeddingSet) -> None:
    """Remove what killed attempts stored but never published.

    Listed first, then compared: what a helper stores meanwhile is not in the list, and what is in the list is named by
    a part until it is named by a shard.
    """
    stored = list(context.storage.keys(shards(embedding_set)))
    with context.database.reading() as session:
        named = {shard(embedding_set, one) for one in parts.shard_ids(session, embedding_set.id)}
        named |= repository.shard_keys(session, embedding_set.id)
    for key in stored:
        if key not in named:
            context.storage.delete(key)


def _lead(context: Context, share: Share, engine: Engine) -> None:
    """Embed what can be taken, then wait for what others have taken, until they publish it or are gone."""
    while True:
        try:
            share.embed(engine)
        except WorkingCopyUnreadable as error:
            if damaged(context, error):
                raise JobFailed("working_copy_unreadable", f"{error}; upload the image again.") from error
            share.give_back()
            continue
        if not share.count():
            return
        share.show()
        context.stop.wait(LOOK_EVERY_S)


def _wanted(context: Context, leader: Job) -> bool:
    """Not by a job that is over, or whose own worker got this one: it has no other cores to offer.

    Nor the second time: who has time now has started another helper.
    """
    return context.job.attempt == 1 and leader.state not in FINAL and leader.worker != context.job.worker


def _help(context: Context, leader: Job, embedding_set: EmbeddingSet, encoder: Encoder) -> int:
    share = Share(context, embedding_set, leader.id)
    share.show()
    if service.plugin(context.storage, encoder).sha256() != embedding_set.sha256:
        raise JobFailed("encoder_hash_mismatch", "This worker has other weights of the encoder than the others.")
    engine = _open(context, encoder)
    while True:
        try:
            share.embed(engine)
            return share.done
        except WorkingCopyUnreadable as error:  # the leader will meet it, too, and say so
            share.give_back(spoiled=damaged(context, error))
        except Stopped:
            share.give_back()
            raise
