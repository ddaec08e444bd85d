"""What a cluster's row says of its images, found anew for clusters whose images changed."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.corrections import repository
from app.db.tables import Cluster
from app.embeddings import repository as embeddings
from app.storage import Storage
from models.clustering.base import Clustering as Found
from models.clustering.outliers import SMALL, thresholds
from models.clustering.representatives import spread
from models.clustering.unit_vectors import unit_rows

BLOCK = 64  # candidates for representatives read at a time


def refresh(session: Session, storage: Storage, set_id: UUID, rows: Iterable[Cluster]) -> None:
    """Size, cohesion, threshold and representatives as they are now. A small cluster keeps its threshold."""
    for row in rows:
        distances = np.array(repository.distances(session, row.clustering_id, row.number), np.float32)
        row.size = len(distances)
        row.cohesion = float(np.mean(1 - distances.astype(np.float64))) if row.size else 0.0
        if row.size >= SMALL:
            row.outlier_distance = _threshold(distances)
        row.representatives = [str(one) for one in spread(_candidates(session, storage, set_id, row))]
    session.flush()


def _threshold(distances: NDArray[np.float32]) -> float:
    alone = Found(np.zeros(len(distances), np.int32), np.ones((1, 1), np.float32), distances)
    return float(thresholds(alone)[0])


def _candidates(
    session: Session, storage: Storage, set_id: UUID, row: Cluster
) -> Iterator[tuple[UUID, NDArray[np.float32]]]:
    for ids in repository.by_typicality(session, row.clustering_id, row.number, BLOCK):
        yield from zip(ids, unit_rows(embeddings.vectors(session, storage, set_id, ids)), strict=True)
