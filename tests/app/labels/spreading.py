"""A clustering whose images are in plain groups, in which names spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.tables import Cluster
from tests.fixtures.clusterings import Gallery


@dataclass
class Written:
    """The images of each cluster, and what they were written with."""

    gallery: Gallery
    clustering_id: UUID
    images: list[list[UUID]]


def write(api: TestClient, sizes: Sequence[int], labels: dict[int, str], seed: int = 0) -> Written:
    """Clusters of these sizes, biggest first, around directions at right angles; some have labels."""
    gallery = Gallery.make(api.app.state.resources)  # type: ignore[attr-defined]
    rng, truth = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.eye(8)[truth] + 0.1 * rng.normal(size=(len(truth), 8))
    gallery.add((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))
    clustering_id = gallery.cluster(truth)
    with gallery.resources.database.transaction() as session:
        for number, label in labels.items():
            named = update(Cluster).where(Cluster.clustering_id == clustering_id, Cluster.number == number)
            session.execute(named.values(label=label))
    ends = np.cumsum(sizes)
    return Written(
        gallery, clustering_id, [gallery.images[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    )
