"""From labels to a Clustering: what every algorithm does last, and the check of k that it does first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER, Clustering, ClusteringError, KTooLarge, Tree
from models.clustering.lloyd import assign
from models.clustering.unit_vectors import own_similarity, unit_rows


def check_k(k: int, first: NDArray[np.int64]) -> None:
    """Raises ClusteringError or KTooLarge. `first`: see first_occurrence."""
    if k < 1:
        raise ClusteringError(f"k must be at least 1, not {k}")
    if k > (distinct := int(np.count_nonzero(first == np.arange(len(first))))):
        raise KTooLarge(k, distinct)


def from_labels(
    vectors: NDArray[np.float32], labels: NDArray[np.integer], tree: Tree | None = None, sampled: int | None = None
) -> Clustering:
    """(N, D) unit rows and (N,) labels, -1 for outliers, else any numbers -> a Clustering around mean directions.

    With outliers alone there is one cluster, of all.
    """
    if (labels == OUTLIER).all():
        labels = np.zeros(len(vectors), np.int32)
    inside = labels != OUTLIER
    codes = np.full(len(labels), OUTLIER, np.int32)
    codes[inside] = np.unique(labels[inside], return_inverse=True)[1]
    return numbered(vectors, codes, mean_directions(vectors, codes), tree, sampled)


def numbered(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int32],
    centres: NDArray[np.float32],
    tree: Tree | None = None,
    sampled: int | None = None,
) -> Clustering:
    """Number clusters 0 to K - 1, each with an image, by descending size, ties by their first image."""
    inside = labels != OUTLIER
    first_image = np.full(len(centres), len(labels))
    np.minimum.at(first_image, labels[inside], np.flatnonzero(inside))
    order = np.lexsort((first_image, -np.bincount(labels[inside], minlength=len(centres))))
    rank = np.empty(len(order) + 1, np.int32)
    rank[order], rank[OUTLIER] = np.arange(len(order)), OUTLIER
    labels, centres = rank[labels], np.ascontiguousarray(centres[order])
    distances = np.asarray(1 - own_similarity(vectors, centres, labels), np.float32)
    if not inside.all():
        distances[~inside] = 1 - assign(vectors[~inside], centres)[1]
    return Clustering(labels, centres, distances, tree, sampled)


def mean_directions(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N, D) unit rows, (N,) labels 0 to K - 1 or -1, none without an image -> (K, D) unit means.

    Where the images of a cluster cancel out, its first image stands for it.
    """
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] != OUTLIER]
    starts = np.flatnonzero(np.diff(labels[order], prepend=OUTLIER))
    sums = np.stack([vectors[part].sum(axis=0, dtype=np.float64) for part in np.split(order, starts[1:])])
    lengths = np.linalg.norm(sums, axis=1)
    firsts = vectors[order[starts]]
    return unit_rows(np.where(lengths[:, None] > 1e-6, sums, firsts).astype(np.float32))
