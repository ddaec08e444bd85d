"""Images that came after a clustering join its nearest clusters; nothing that was assigned moves.

Nearest is a centre of the run or one that an edit made, and the cluster is the one that it stands for after all edits:
what is like a cluster that was merged goes where that went.
"""

from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.clusterings.cuts import LEAVES
from app.corrections import repository as corrections
from app.corrections.centres import Centres
from app.db.tables import Cluster, Clustering
from app.embeddings import repository as embeddings
from app.failpoints import reached
from models.clustering.lloyd import assign as assign_to_run
from workers.context import Context, JobFailed
from workers.jobs.cluster import assign, prepare
from workers.jobs.duplicates import ensure_duplicates
from workers.jobs.index import ensure_index
from workers.jobs.ingest import decode_pending
from workers.jobs.map import ensure_map

BATCH = 1024


def run(context: Context) -> None:
    with context.database.reading() as session:
        clustering = clusterings.get(session, UUID(context.job.params["clustering"]))
    decode_pending(context, clustering.collection_id)
    embedding_set = prepare(context, clustering.collection_id, clustering.encoder_id)
    if embedding_set.sha256 != clustering.encoder_sha256:
        raise JobFailed("encoder_hash_mismatch", "The encoder's weights have changed since; start a new clustering.")
    joined = _join(context, clustering, embedding_set.id)
    ensure_index(context, embedding_set)
    ensure_map(context, clustering.id, embedding_set)
    ensure_duplicates(context, embedding_set)
    with context.succeed({"clustering_id": str(clustering.id), "assigned": joined}):
        pass


def _join(context: Context, clustering: Clustering, set_id: UUID) -> int:
    """Assign batch by batch, each in one transaction; how many images joined."""
    joined = 0
    while True:
        with context.database.reading() as session:
            ids = clusterings.missing(session, clustering, BATCH)
            if not ids:
                return joined
            vectors = embeddings.vectors(session, context.storage, set_id, ids)
        joined += len(ids)
        with context.step("assign", joined, None, "images") as session:
            row = corrections.lock(session, clustering.id)  # whoever edits waits
            centres = Centres.load(session, context.storage, row)
            labels = assign_to_run(vectors, centres.vectors[: centres.run])[0]
            numbers, distances = centres.nearest(vectors)
            leaves = _leaves(context, row, vectors)
            odd = distances / _limits(session, row, numbers)
            assign(session, clustering.id, ids, labels, distances, leaves, numbers, odd)
            _count(session, row, numbers, distances)
        reached("assign.joined")


def _limits(session: Session, row: Clustering, numbers: np.ndarray) -> np.ndarray:
    """(N,) the distance at which an image of its cluster is an outlier; without bound in no cluster."""
    query = select(Cluster.number, Cluster.outlier_distance).where(Cluster.clustering_id == row.id)
    limits = {number: limit for number, limit in session.execute(query)}
    return np.array([limits.get(number, np.inf) for number in numbers.tolist()])


def _leaves(context: Context, row: Clustering, vectors: np.ndarray) -> np.ndarray | None:
    """(N,) the nearest leaf of the run's tree, so that cuts have these images too."""
    if row.tree_key is None:
        return None
    centres = np.load(context.storage.local(row.tree_key) / LEAVES, allow_pickle=False)
    return assign_to_run(vectors, centres)[0]


def _count(session: Session, row: Clustering, numbers: np.ndarray, distances: np.ndarray) -> None:
    """Keep the numbers of clustering and clusters true."""
    row.images += len(numbers)
    row.revision += 1
    for number in np.unique(numbers[numbers >= 0]):
        cluster = session.get_one(Cluster, (row.id, int(number)))
        own = distances[numbers == number]
        cluster.cohesion = (cluster.cohesion * cluster.size + float(np.sum(1 - own))) / (cluster.size + len(own))
        cluster.size += len(own)
        row.outliers += int(np.count_nonzero(own > cluster.outlier_distance))
