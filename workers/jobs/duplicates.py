"""Near-duplicates of a collection: hash what is new, find the pairs, publish them as one scan.

A scan is whole or absent, and the newest one counts. One that covers every image is not repeated.
"""

from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import insert, update

from app.db.session import now
from app.db.tables import DuplicatePair, DuplicateScan, EmbeddingSet, Image
from app.duplicates import repository
from app.embeddings import repository as embeddings
from app.failpoints import reached
from app.ids import new_id
from app.images import repository as images
from app.images.service import working_key
from models.duplicates import find as near_duplicates
from models.duplicates.find import KINDS, Pairs
from models.duplicates.hashes import of_copy
from models.embedding import WorkingCopyUnreadable
from workers.context import Context, JobFailed
from workers.jobs.ingest import decode_pending

BATCH = 256  # images hashed a transaction
ROWS = 5000  # pairs a statement


class Gallery(NamedTuple):
    """N images that have a vector: ids, what `hashes.of_copy` says of them, and their vectors (N, D) on disk."""

    ids: list[UUID]
    digests: list[str]
    hashes: np.ndarray
    vectors: np.ndarray


def run(context: Context) -> None:
    from workers.jobs.cluster import prepare  # which itself has `ensure_duplicates` as a stage

    collection_id = context.job.collection_id
    assert collection_id is not None
    decode_pending(context, collection_id)
    embedding_set = prepare(context, collection_id, UUID(context.job.params["encoder"]))
    scan = ensure_duplicates(context, embedding_set)
    if scan is None:
        raise JobFailed("collection_empty", "The collection has no readable image yet; upload some first.")
    with context.database.reading() as session:
        pairs = repository.count(session, scan.id, 0.0)
    with context.succeed({"images": scan.images, "pairs": pairs}):
        pass


def ensure_duplicates(context: Context, embedding_set: EmbeddingSet) -> DuplicateScan | None:
    """Search the collection anew, unless the newest scan covers every image; the scan, or None without images.

    `embedding_set` must be complete. Stages: hash, match, neighbours, compare. An image deleted meanwhile is left
    out.
    """
    collection_id = embedding_set.collection_id
    with context.database.reading() as session:
        scan = repository.newest_scan(session, collection_id)
        if scan and repository.complete(session, scan):
            return scan
    while True:
        try:
            _hash_missing(context, collection_id)
            return _scan(context, embedding_set)
        except WorkingCopyUnreadable as error:
            _check_deleted(context, error)


def _check_deleted(context: Context, error: WorkingCopyUnreadable) -> None:
    """Nothing is wrong when the image was deleted; else its working copy is damaged."""
    with context.database.reading() as session:
        if error.path is None or session.get(Image, UUID(error.path.stem)) is not None:
            raise JobFailed("working_copy_unreadable", f"{error}; upload the image again.") from error


def _hash_missing(context: Context, collection_id: UUID) -> None:
    with context.database.reading() as session:
        total = repository.unhashed_count(session, collection_id)
    done = 0
    while True:
        with context.database.reading() as session:
            ids = repository.unhashed(session, collection_id, BATCH)
        if not ids:
            return
        context.storage.bring(working_key(collection_id, image_id) for image_id in ids)
        found = {image_id: of_copy(_copy(context, collection_id, image_id)) for image_id in ids}
        done += len(ids)
        with context.step("hash", done, max(total, done), "images") as session:
            alive = images.names(session, ids)
            rows = [{"id": i, "pixels_sha256": d, "phash": h} for i, (d, h) in found.items() if i in alive]
            if rows:
                session.execute(update(Image), rows)
        reached("duplicates.hashed")


def _copy(context: Context, collection_id: UUID, image_id: UUID) -> Path:
    return context.storage.local(working_key(collection_id, image_id))


def _scan(context: Context, embedding_set: EmbeddingSet) -> DuplicateScan | None:
    collection_id = embedding_set.collection_id
    with context.database.reading() as session:
        shard = embeddings.newest_shard(session, embedding_set.id)
    gallery = _gallery(context, embedding_set)
    if shard is None or gallery is None:
        return None

    def progress(stage: str, done: int, total: int) -> None:
        context.progress(stage, done, total, "pairs" if stage == "compare" else "images")

    pairs = near_duplicates.find(
        lambda row: _copy(context, collection_id, gallery.ids[row]),
        gallery.digests,
        gallery.hashes,
        gallery.vectors,
        progress,
    )
    return _publish(context, embedding_set, shard, gallery.ids, pairs)


def _gallery(context: Context, embedding_set: EmbeddingSet) -> Gallery | None:
    """What is compared. The vectors go to a file, so that memory does not grow with them."""
    ids: list[UUID] = []
    path = context.folder / "vectors.f32"
    with context.database.reading() as session, path.open("wb") as file:
        known = repository.hashes(session, embedding_set.collection_id)
        for block, vectors in embeddings.blocks(session, context.storage, embedding_set.id):
            keep = [row for row, image_id in enumerate(block) if image_id in known]
            ids += [block[row] for row in keep]
            vectors[keep].astype(np.float32, copy=False).tofile(file)
    if not ids:
        return None
    vectors = np.memmap(path, np.float32, "r", shape=(len(ids), embedding_set.dim))
    hashes = np.fromiter((known[image_id][1] for image_id in ids), np.int64, len(ids))
    return Gallery(ids, [known[image_id][0] for image_id in ids], hashes, vectors)


def _publish(
    context: Context, embedding_set: EmbeddingSet, shard: UUID, ids: list[UUID], pairs: Pairs
) -> DuplicateScan:
    """The scan and its pairs, in place of every one before."""
    scan = DuplicateScan(
        id=new_id(),
        collection_id=embedding_set.collection_id,
        set_id=embedding_set.id,
        images=len(ids),
        newest_shard=shard,
        job_id=context.job.id,
    )
    with context.step("compare", len(ids), len(ids), "images") as session:
        repository.forget(session, embedding_set.collection_id)
        scan.created_at = now(session)
        session.add(scan)
        session.flush()
        for start in range(0, len(pairs.first), ROWS):
            part = pairs.part(start, start + ROWS)
            involved = {ids[row] for end in (part.first, part.second) for row in end.tolist()}
            if rows := _rows(scan.id, ids, part, set(images.names(session, involved))):
                session.execute(insert(DuplicatePair), rows)
    reached("duplicates.published")
    return scan


def _rows(scan_id: UUID, ids: list[UUID], pairs: Pairs, alive: set[UUID]) -> list[dict[str, object]]:
    columns = zip(*(column.tolist() for column in pairs), strict=True)
    return [
        {
            "scan_id": scan_id,
            "first_id": ids[first],
            "second_id": ids[second],
            "similarity": similarity,
            "kind": KINDS[kind],
        }
        for first, second, similarity, kind in columns
        if ids[first] in alive and ids[second] in alive
    ]
