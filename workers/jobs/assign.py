"""Images that came after a clustering join its nearest clusters; nothing that was assigned moves."""

from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.db.tables import Cluster, Clustering
from app.embeddings import repository as embeddings
from workers.context import Context, JobFailed
from workers.jobs.cluster import assign, prepare
from workers.jobs.index import ensure_index
from workers.jobs.ingest import decode_pending

BATCH = 1024


def run(context: Context) -> None:
    with context.database.reading() as session:
        clustering = clusterings.get(session, UUID(context.job.params["clustering"]))
    decode_pending(context, clustering.collection_id)
    embedding_set = prepare(context, clustering.collection_id, clustering.encoder_id)
    if embedding_set.sha256 != clustering.encoder_sha256:
        raise JobFailed("encoder_hash_mismatch", "The encoder's weights have changed since; start a new clustering.")
    centres = np.load(context.storage.local(clustering.centres_key), allow_pickle=False)
    joined = _join(context, clustering, embedding_set.id, centres)
    ensure_index(context, embedding_set)
    with context.succeed({"clustering_id": str(clustering.id), "assigned": joined}):
        pass


def _join(context: Context, clustering: Clustering, set_id: UUID, centres: np.ndarray) -> int:
    """Assign batch by batch, each in one transaction; how many images joined."""
    joined = 0
    while True:
        with context.database.reading() as session:
            ids = clusterings.missing(session, clustering, BATCH)
            if not ids:
                return joined
            vectors = embeddings.vectors(session, context.storage, set_id, ids)
        similarity = vectors @ centres.T
        labels = similarity.argmax(axis=1)
        distances = 1 - similarity.max(axis=1)
        joined += len(ids)
        with context.step("assign", joined, None, "images") as session:
            assign(session, clustering.id, ids, labels, distances)
            _count(session, clustering, labels, distances)


def _count(session: Session, clustering: Clustering, labels: np.ndarray, distances: np.ndarray) -> None:
    """Keep the numbers of clustering and clusters true."""
    row = session.get_one(Clustering, clustering.id)
    row.images += len(labels)
    row.revision += 1
    for number in np.unique(labels):
        cluster = session.get_one(Cluster, (clustering.id, int(number)))
        own = distances[labels == number]
        cluster.cohesion = (cluster.cohesion * cluster.size + float(np.sum(1 - own))) / (cluster.size + len(own))
        cluster.size += len(own)
        row.outliers += int(np.count_nonzero(own > cluster.outlier_distance))
