"""A clustering from whatever there is: decode, embed, cluster, index; only the stages that are still missing."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.collections.service import prefix
from app.db.session import now
from app.db.tables import Assignment, Cluster, EmbeddingSet, Image
from app.db.tables import Clustering as ClusteringRow
from app.embeddings import repository as embeddings
from app.encoders import repository as encoders
from app.encoders import service as encoders_service
from app.ids import new_id
from models import registry
from models.clustering.base import Clustering
from models.clustering.outliers import atypical, thresholds
from models.clustering.representatives import cohesion, representatives
from models.evaluation import unlabelled
from workers.context import Context, JobFailed
from workers.jobs import carry
from workers.jobs.embed import embed_missing, fetch
from workers.jobs.index import ensure_index
from workers.jobs.ingest import decode_pending


def run(context: Context) -> None:
    collection_id = context.job.collection_id
    assert collection_id is not None
    decode_pending(context, collection_id)
    embedding_set = prepare(context, collection_id, UUID(context.job.params["encoder"]))
    with context.database.reading() as session:
        made = clusterings.of_job(session, context.job.id)  # an earlier attempt may have come this far
    clustering_id = made.id if made else _cluster(context, embedding_set)
    ensure_index(context, embedding_set)
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
    with context.database.reading() as session:
        ids, vectors = _load(session, context, embedding_set)
    algorithm = registry.load("clustering", params["algorithm"])

    def progress(done: int, total: int) -> None:
        context.progress("cluster", done, total, "steps")

    found: Clustering = algorithm.cluster(
        vectors, params["k"], algorithm.Params.model_validate(params["params"]), params["seed"], progress
    )
    context.check()
    metrics = unlabelled.metrics(vectors, found, params["seed"])
    clustering_id = new_id()
    centres_key = f"{prefix(embedding_set.collection_id)}/clusterings/{clustering_id}.npy"
    context.storage.put([(_saved(context.folder / "centres.npy", found.centres), centres_key)])
    rows = _cluster_rows(clustering_id, ids, vectors, found)
    with context.database.reading() as session:
        said = carry.prepare(session, embedding_set.collection_id, ids, vectors, found)
    with context.step("cluster", 1, 1, "steps") as session:
        session.add(_clustering_row(session, context, embedding_set, clustering_id, found, metrics, centres_key))
        session.flush()
        session.add_all(rows)
        session.flush()
        assign(session, clustering_id, ids, found.labels, found.distances)
        carry.publish(session, context.storage, clustering_id, ids, vectors, found, said)
    return clustering_id


def _load(session: Session, context: Context, embedding_set: EmbeddingSet) -> tuple[list[UUID], np.ndarray]:
    """Every id and vector (N, D) of the set, ordered by id so that the same gallery gives the same clusters."""
    blocks = list(embeddings.blocks(session, context.storage, embedding_set.id))
    if not blocks:
        raise JobFailed("collection_empty", "The collection has no readable image yet; upload some first.")
    ids = [image_id for block, _ in blocks for image_id in block]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return [ids[i] for i in order], np.concatenate([vectors for _, vectors in blocks])[order]


def _saved(path: Path, centres: np.ndarray) -> Path:
    np.save(path, centres, allow_pickle=False)
    return path


def _clustering_row(
    session: Session,
    context: Context,
    embedding_set: EmbeddingSet,
    clustering_id: UUID,
    found: Clustering,
    metrics: dict[str, Any],
    centres_key: str,
) -> ClusteringRow:
    params = context.job.params
    return ClusteringRow(
        id=clustering_id,
        collection_id=embedding_set.collection_id,
        encoder_id=embedding_set.encoder_id,
        encoder_sha256=embedding_set.sha256,
        algorithm=params["algorithm"],
        k=found.k,
        k_requested=json.dumps(params["k"]),
        params=params["params"],
        seed=params["seed"],
        version=version("roost"),
        images=len(found.labels),
        outliers=int(atypical(found).sum()),
        metrics=metrics,
        centres_key=centres_key,
        job_id=context.job.id,
        created_at=now(session),
    )


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
    numbers: np.ndarray | None = None,
) -> None:
    """Rows for images in clusters; an image deleted in the meantime gets none. `numbers`: where else than `labels`."""
    places = labels if numbers is None else numbers
    for start in range(0, len(ids), 5000):
        part = slice(start, start + 5000)
        alive = set(session.scalars(select(Image.id).where(Image.id.in_(ids[part]))))
        rows = [
            {
                "clustering_id": clustering_id,
                "image_id": i,
                "run_number": n,
                "number": place if place >= 0 else None,
                "distance": d,
            }
            for i, n, place, d in zip(
                ids[part], labels[part].tolist(), places[part].tolist(), distances[part].tolist(), strict=True
            )
            if i in alive
        ]
        if rows:
            session.execute(insert(Assignment), rows)
