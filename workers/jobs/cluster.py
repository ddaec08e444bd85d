"""A clustering from whatever there is: decode, embed, cluster, index; only the stages that are still missing."""

import json
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.clusterings.cuts import LEAVES, TREE, StoredTree
from app.collections.service import prefix
from app.db.session import now
from app.db.tables import Assignment, Cluster, EmbeddingSet, Image
from app.db.tables import Clustering as ClusteringRow
from app.embeddings import repository as embeddings
from app.encoders import repository as encoders
from app.encoders import service as encoders_service
from app.events.service import units
from app.failpoints import reached
from app.ids import new_id
from models import registry
from models.clustering.base import Clustering, Tree
from models.clustering.outliers import atypical, scores, thresholds
from models.clustering.representatives import cohesion, representatives
from models.clustering.run import AUTO, Run, best_for
from models.clustering.run import run as run_algorithm
from models.clustering.tree import leaf_clustering
from models.clustering.unit_vectors import unit_rows
from models.evaluation import unlabelled
from workers.context import Context, JobFailed
from workers.jobs import carry
from workers.jobs.duplicates import ensure_duplicates
from workers.jobs.embed import embed_missing, fetch
from workers.jobs.index import ensure_index
from workers.jobs.ingest import decode_pending
from workers.jobs.map import ensure_map

OF_A_LEAF = 12  # representatives kept of each leaf of a tree, so that a cut's clusters have some of several


def run(context: Context) -> None:
    collection_id = context.job.collection_id
    assert collection_id is not None
    decode_pending(context, collection_id)
    embedding_set = prepare(context, collection_id, UUID(context.job.params["encoder"]))
    with context.database.reading() as session:
        made = clusterings.of_job(session, context.job.id)  # an earlier attempt may have come this far
    clustering_id = made.id if made else _cluster(context, embedding_set)
    ensure_index(context, embedding_set)
    ensure_map(context, clustering_id, embedding_set)
    ensure_duplicates(context, embedding_set)
    with context.succeed({"clustering_id": str(clustering_id)}):
        pass


def prepare(context: Context, collection_id: UUID, encoder_id: UUID) -> EmbeddingSet:
    """The collection's embedding set by this encoder, complete."""
    with context.database.reading() as session:
        encoder = encoders.get(session, encoder_id)
    plugin = encoders_service.plugin(context.storage, encoder)
    if plugin.unavailable():
        fetch(context, encoder)
    with context.database.transaction() as session:
        embedding_set = embeddings.ensure(session, collection_id, encoder, plugin.sha256())
    embed_missing(context, encoder, embedding_set)
    return embedding_set


def _cluster(context: Context, embedding_set: EmbeddingSet) -> UUID:
    params = context.job.params
    context.progress("cluster", 0, None, "steps")
    gap = params.get("event_gap_s")
    with context.database.reading() as session:
        ids, vectors = _load(session, context, embedding_set)
        events = None if gap is None else units(session, ids, gap)
    name = best_for(len(ids)) if params["algorithm"] == AUTO else params["algorithm"]
    algorithm = registry.load("clustering", name)
    chosen = algorithm.Params.model_validate(params["params"])

    def progress(done: int, total: int) -> None:
        context.progress("cluster", done, total, "steps")

    made = run_algorithm(algorithm, vectors, params["k"], chosen, params["seed"], progress, events)
    context.check()
    row = ClusteringRow(id=new_id(), algorithm=name, params=chosen.model_dump(mode="json"))
    return _publish(context, embedding_set, ids, vectors, made, row)


def _publish(
    context: Context, embedding_set: EmbeddingSet, ids: list[UUID], vectors: np.ndarray, made: Run, row: ClusteringRow
) -> UUID:
    found, clustering_id = made.found, row.id
    metrics = unlabelled.metrics(vectors, found, context.job.params["seed"])
    odd = scores(vectors, found, lambda done, total: context.progress("outliers", done, total, "images"))
    home = f"{prefix(embedding_set.collection_id)}/clusterings/{clustering_id}"
    context.storage.put([(_saved(context.folder / "centres.npy", found.centres), f"{home}.npy")])
    if found.tree is not None:
        context.storage.put([(_saved_tree(context.folder / "tree", ids, vectors, found.tree), f"{home}.tree")])
    rows = _cluster_rows(clustering_id, ids, vectors, found)
    row.metrics, row.outliers = metrics, int(atypical(odd).sum())
    row.centres_key, row.tree_key = f"{home}.npy", f"{home}.tree" if found.tree else None
    row.suggestions = made.suggestions.as_json() if made.suggestions else None
    reached("cluster.stored")
    with context.database.reading() as session:
        said = carry.prepare(session, embedding_set.collection_id, ids, vectors, found)
    with context.step("cluster", 1, 1, "steps") as session:
        session.add(_described(session, context, embedding_set, row, found))
        session.flush()
        session.add_all(rows)
        session.flush()
        leaves = found.tree.leaves if found.tree else None
        assign(session, clustering_id, ids, found.labels, found.distances, leaves, scores=odd)
        carry.publish(session, context.storage, clustering_id, ids, vectors, found, said)
    reached("cluster.committed")
    return clustering_id


def _load(session: Session, context: Context, embedding_set: EmbeddingSet) -> tuple[list[UUID], np.ndarray]:
    """Every id and vector (N, D) of the set, ordered by id so that the same gallery gives the same clusters."""
    ids = [UUID(bytes=raw.tobytes()) for raw in embeddings.ids(session, embedding_set.id)]
    if not ids:
        raise JobFailed("collection_empty", "The collection has no readable image yet; upload some first.")
    place = {image_id: row for row, image_id in enumerate(ids)}
    vectors = np.empty((len(ids), embedding_set.dim), np.float32)  # filled in place: a million may be all that fits
    there = np.zeros(len(ids), bool)
    for block, rows in embeddings.blocks(session, context.storage, embedding_set.id):
        own = [place[image_id] for image_id in block]
        vectors[own], there[own] = rows, True
    if there.all():
        return ids, vectors
    return [ids[row] for row in np.flatnonzero(there)], vectors[there]  # some were deleted while this was read


def _saved(path: Path, centres: np.ndarray) -> Path:
    np.save(path, centres, allow_pickle=False)
    return path


def _saved_tree(folder: Path, ids: list[UUID], vectors: np.ndarray, tree: Tree) -> Path:
    """What cuts are read off, and the leaves' mean directions, whose nearest an image that comes later joins."""
    leaves = leaf_clustering(unit_rows(vectors), tree)
    stored = StoredTree(
        merges=tree.merges.tolist(),
        sizes=leaves.sizes.tolist(),
        cohesion=cohesion(leaves).tolist(),
        representatives=[[str(ids[row]) for row in rows] for rows in representatives(vectors, leaves, OF_A_LEAF)],
    )
    folder.mkdir()
    (folder / TREE).write_text(stored.model_dump_json(), encoding="utf-8")
    np.save(folder / LEAVES, leaves.centres, allow_pickle=False)
    return folder


def _described(
    session: Session, context: Context, embedding_set: EmbeddingSet, row: ClusteringRow, found: Clustering
) -> ClusteringRow:
    """The row with everything that made it."""
    params = context.job.params
    row.collection_id = embedding_set.collection_id
    row.encoder_id, row.encoder_sha256 = embedding_set.encoder_id, embedding_set.sha256
    row.seed, row.k, row.k_requested = params["seed"], found.k, json.dumps(params["k"])
    row.event_gap_s = params.get("event_gap_s")
    row.images, row.sampled = len(found.labels), found.sampled
    row.version, row.job_id, row.created_at = version("roost"), context.job.id, now(session)
    return row


def _cluster_rows(clustering_id: UUID, ids: list[UUID], vectors: np.ndarray, found: Clustering) -> list[Cluster]:
    typical = representatives(vectors, found)
    limits = thresholds(found)
    return [
        Cluster(
            clustering_id=clustering_id,
            number=number,
            size=int(size),
            cohesion=float(tight),
            outlier_distance=float(limit),
            representatives=[str(ids[i]) for i in rows],
        )
        for number, (size, tight, limit, rows) in enumerate(
            zip(found.sizes, cohesion(found), limits, typical, strict=True)
        )
    ]


def assign(
    session: Session,
    clustering_id: UUID,
    ids: list[UUID],
    labels: np.ndarray,
    distances: np.ndarray,
    leaves: np.ndarray | None = None,
    numbers: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> None:
    """Rows for images in clusters; an image deleted in the meantime gets none. `numbers`: where else than `labels`."""
    places = labels if numbers is None else numbers
    smallest = leaves.tolist() if leaves is not None else [None] * len(ids)
    odd = scores.tolist() if scores is not None else [None] * len(ids)
    for start in range(0, len(ids), 5000):
        part = slice(start, start + 5000)
        alive = set(session.scalars(select(Image.id).where(Image.id.in_(ids[part]))))
        rows = [
            {
                "clustering_id": clustering_id,
                "image_id": i,
                "run_number": n,
                "number": place if place >= 0 else None,
                "leaf": leaf,
                "distance": d,
                "outlier_score": score,
            }
            for i, n, place, leaf, d, score in zip(
                ids[part],
                labels[part].tolist(),
                places[part].tolist(),
                smallest[part],
                distances[part].tolist(),
                odd[part],
                strict=True,
            )
            if i in alive
        ]
        if rows:
            session.execute(insert(Assignment), rows)
