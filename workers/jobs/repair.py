"""Make again what `roost verify` found damaged; see app/maintenance/repair.py, which writes the parameters.

Rows go before their blobs, as everywhere; then the stages of the other jobs find what is missing. An attempt that
repeats all this finds less to do.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.db.tables import (
    Assignment,
    Clustering,
    Embedding,
    EmbeddingSet,
    EmbeddingShard,
    Encoder,
    Image,
    SearchIndex,
)
from app.encoders import service as encoders
from app.images import repository as images
from app.images.service import original_key, working_key
from app.maintenance.named import GONE
from workers.context import Context, JobFailed
from workers.jobs.embed import embed_missing, fetch
from workers.jobs.index import ensure_index
from workers.jobs.ingest import decode_pending
from workers.jobs.map import ensure_map

LOST = "The original is gone from the storage. Delete this image, then upload the picture again."


def run(context: Context) -> None:
    collection_id = context.job.collection_id
    assert collection_id is not None
    params = context.job.params
    context.progress("forget", 0, None, "rows")
    rejected = _reject(context, _ids(params["lost"]))
    _decode_again(context, collection_id, _ids(params["working"]))
    damaged = _forget(context, params)
    for key in damaged:
        context.storage.delete(key)
    _embed(context, _ids(params["sets"]))
    _index(context, collection_id, _ids(params["sets"]))
    _draw(context, params["maps"])
    with context.succeed({"rejected": rejected, "decoded": len(params["working"]), "removed": len(damaged)}):
        pass


def _reject(context: Context, lost: list[UUID]) -> int:
    """Images whose original is still gone leave search and clusters, as deleted ones do; how many there were."""
    rejected = 0
    for image_id in lost:
        with context.database.transaction() as session:
            image = session.get(Image, image_id)
            if image is None or context.storage.exists(original_key(image.collection_id, image.id, image.sha256)):
                continue
            image.status, image.error_code, image.error_detail = "rejected", GONE, LOST
            for table in (Embedding, Assignment):
                session.execute(delete(table).where(table.image_id == image_id))
            rejected += 1
    return rejected


def _decode_again(context: Context, collection_id: UUID, damaged: list[UUID]) -> None:
    """What was known of the old copy's bytes goes with it: another version of the codec may write others.

    The copy itself goes too: a blob that is there is never written over.
    """
    again = {"status": "pending", "pixels_sha256": None, "phash": None}
    for part in _parts(damaged):
        with context.database.transaction() as session:
            session.execute(update(Image).where(Image.id.in_(part), Image.status == "ready").values(**again))
            pending = session.scalars(select(Image.id).where(Image.id.in_(part), Image.status == "pending")).all()
        for image_id in pending:
            context.storage.delete(working_key(collection_id, image_id))
    decode_pending(context, collection_id)


def _forget(context: Context, params: dict[str, object]) -> list[str]:
    """Take the rows of damaged shards, indexes and maps away; the keys of their blobs."""
    keys: list[str] = []
    with context.database.transaction() as session:
        for table, name in ((EmbeddingShard, "shards"), (SearchIndex, "indexes")):
            for part in _parts(_ids(params[name])):
                keys += session.scalars(delete(table).where(table.id.in_(part)).returning(table.key))
        for clustering_id, key in _maps(params["maps"]):
            gone = update(Clustering).where(Clustering.id == clustering_id, Clustering.map_key == key)
            session.execute(gone.values(map_key=None))
            keys.append(key)
    return keys


def _embed(context: Context, sets: list[UUID]) -> None:
    for embedding_set, encoder in _with_encoders(context, sets):
        plugin = encoders.plugin(context.storage, encoder)
        if plugin.unavailable():
            fetch(context, encoder)
        if plugin.sha256() != embedding_set.sha256:
            raise JobFailed(
                "encoder_hash_mismatch", "The encoder's weights have changed since; start a new clustering."
            )
        embed_missing(context, encoder, embedding_set)


def _index(context: Context, collection_id: UUID, sets: list[UUID]) -> None:
    """Those that lost an index, and those whose vectors are no longer the indexed ones."""
    indexed = select(SearchIndex.set_id).join(EmbeddingSet, EmbeddingSet.id == SearchIndex.set_id)
    with context.database.reading() as session:
        known = session.scalars(indexed.where(EmbeddingSet.collection_id == collection_id)).all()
    for embedding_set, _ in _with_encoders(context, {*sets, *known}):
        ensure_index(context, embedding_set)


def _draw(context: Context, maps: object) -> None:
    for clustering_id, _ in _maps(maps):
        with context.database.reading() as session:
            embedding_set = _set_of(session, clusterings.get(session, clustering_id))
        if embedding_set:
            ensure_map(context, clustering_id, embedding_set)


def _set_of(session: Session, row: Clustering) -> EmbeddingSet | None:
    query = select(EmbeddingSet).where(
        EmbeddingSet.collection_id == row.collection_id,
        EmbeddingSet.encoder_id == row.encoder_id,
        EmbeddingSet.sha256 == row.encoder_sha256,
    )
    return session.scalars(query).first()


def _with_encoders(context: Context, sets: Iterable[UUID]) -> list[tuple[EmbeddingSet, Encoder]]:
    query = select(EmbeddingSet, Encoder).join(Encoder, Encoder.id == EmbeddingSet.encoder_id)
    with context.database.reading() as session:
        return [(row[0], row[1]) for row in session.execute(query.where(EmbeddingSet.id.in_(sets)))]


def _ids(raw: object) -> list[UUID]:
    assert isinstance(raw, list)
    return [UUID(one) for one in raw]


def _maps(raw: object) -> list[tuple[UUID, str]]:
    assert isinstance(raw, dict)
    return [(UUID(one), key) for one, key in raw.items()]


def _parts(ids: list[UUID]) -> list[list[UUID]]:
    """As many as one statement takes parameters for."""
    return [ids[start : start + images.PARAMETERS] for start in range(0, len(ids), images.PARAMETERS)]
