"""The map of a clustering: made once, extended by images that come later; what is on it never moves."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.clusterings import repository as clusterings
from app.collections.service import prefix
from app.db.tables import Clustering, EmbeddingSet
from app.embeddings import repository as embeddings
from app.failpoints import reached
from app.ids import new_id
from app.maps import file
from models.disk import reserve
from models.maps import place, project
from workers.context import Context

ANCHORS = 20_000  # images of the map beside which new ones are put
BATCH = 4096

Ids = NDArray[np.uint8]
Vectors = NDArray[np.float32]


def ensure_map(context: Context, clustering_id: UUID, embedding_set: EmbeddingSet) -> None:
    """Store a map of every image that the set has a vector of, unless there is one."""
    with context.database.reading() as session:
        clustering = clusterings.get(session, clustering_id)
        ids = embeddings.ids(session, embedding_set.id)
    home = file.home(prefix(clustering.collection_id), clustering.id)
    context.drop_unpublished(home, {clustering.map_key} if clustering.map_key else set())
    known = file.MapFile(context.storage.local(clustering.map_key)).whole() if clustering.map_key else None
    fresh = ids if known is None else ids[~np.isin(_keys(ids), _keys(known.ids))]
    if len(fresh) == 0:
        return
    alive = np.flatnonzero(np.isin(_keys(known.ids), _keys(ids))) if known else np.empty(0, np.int64)
    if known is None or len(alive) == 0:
        points = project(_vectors(context, embedding_set, ids), clustering.seed, _progress(context))
        made = file.Block(ids, points)
    else:
        made = _extended(context, embedding_set, known, _drawn(alive, clustering.seed), fresh)
    _publish(context, clustering, f"{home}/{new_id()}.arrow", made)


def _extended(
    context: Context, embedding_set: EmbeddingSet, known: file.Block, rows: NDArray[np.int64], fresh: Ids
) -> file.Block:
    """The map as it is, and the fresh ids, placed beside those of its rows."""
    anchors, vectors = _anchors(context, embedding_set, known, rows)
    blocks = [known]
    for start in range(0, len(fresh), BATCH):
        context.progress("map", start, len(fresh), "images")
        ids, later = _present(context, embedding_set, fresh[start : start + BATCH])
        if len(ids):
            blocks.append(file.Block(ids, place(later, vectors, anchors)))
    return file.joined(blocks)


def _drawn(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """All rows, or ANCHORS of them at random."""
    return rows if len(rows) <= ANCHORS else np.sort(np.random.default_rng(seed).choice(rows, ANCHORS, replace=False))


def _anchors(
    context: Context, embedding_set: EmbeddingSet, known: file.Block, rows: NDArray[np.int64]
) -> tuple[Vectors, Vectors]:
    """Coordinates (A, 2) and vectors (A, D) of some rows of the map, without those deleted since."""
    parts = [_present(context, embedding_set, known.ids[rows[n : n + BATCH]]) for n in range(0, len(rows), BATCH)]
    ids = np.concatenate([part for part, _ in parts])
    there = np.isin(_keys(known.ids), _keys(ids))  # in the order of the map, which is also that of `ids`
    return known.points[there], np.concatenate([vectors for part, vectors in parts if len(part)])


def _publish(context: Context, clustering: Clustering, key: str, made: file.Block) -> None:
    context.storage.put([(file.write(context.folder / "map.arrow", made), key)])
    reached("map.stored")
    with context.step("map", len(made.ids), len(made.ids), "images") as session:
        session.get_one(Clustering, clustering.id).map_key = key
    reached("map.swapped")
    if clustering.map_key:
        context.storage.delete(clustering.map_key)


def _vectors(context: Context, embedding_set: EmbeddingSet, ids: Ids) -> Vectors:
    """(N, D) of a whole set in the order of its ids, in a file of the job: memory holds one block."""
    path = context.folder / "map-vectors.f32"
    rows = np.memmap(path, np.float32, "w+", shape=(len(ids), embedding_set.dim))
    reserve(path)
    keys = _keys(ids)
    with context.database.reading() as session:
        for block_ids, block in embeddings.blocks(session, context.storage, embedding_set.id):
            context.check()
            rows[np.searchsorted(keys, _keys(_bytes(block_ids)))] = block
    return np.asarray(rows)


def _present(context: Context, embedding_set: EmbeddingSet, ids: Ids) -> tuple[Ids, Vectors]:
    """Those of these ids that have a vector, and the vectors (M, D); images may be deleted at any moment."""
    with context.database.reading() as session:
        found, vectors = embeddings.present(session, context.storage, embedding_set.id, file.uuids(ids))
    return _bytes(found), vectors


def _progress(context: Context) -> Callable[[int, int], None]:
    return lambda done, total: context.progress("map", done, total, "steps")


def _keys(ids: Ids) -> NDArray[np.bytes_]:
    """(N, 16) -> (N,) in the order of the ids."""
    return np.ascontiguousarray(ids).view("S16").reshape(-1)


def _bytes(ids: list[UUID]) -> Ids:
    return np.frombuffer(b"".join(one.bytes for one in ids), np.uint8).reshape(-1, 16)
