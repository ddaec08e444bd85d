"""Bring a clustering to exactly k clusters: split the widest in two, or merge those that lie nearest (Ward)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.kmeans import KMeans, Params
from models.clustering.result import mean_directions
from models.clustering.tree import cut
from models.clustering.unit_vectors import own_similarity
from models.clustering.ward import ward

HALVING = Params(restarts=3, iterations=20)


def split_until(
    vectors: NDArray[np.float32], labels: NDArray[np.integer], k: int, first: NDArray[np.int64]
) -> NDArray[np.int32]:
    """(N, D) unit rows, (N,) labels, equal rows alike -> (N,) labels with at least k numbers from 0.

    Again and again the cluster that scatters most about its mean is halved by k-means. `first` names the first row
    equal to each row; there must be k distinct ones.
    """
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    count = int(codes.max()) + 1
    if count >= k:
        return codes
    scatter = [_scatter(vectors, np.flatnonzero(codes == one), first) for one in range(count)]
    while len(scatter) < k:
        widest = int(np.argmax(scatter))
        members = np.flatnonzero(codes == widest)
        half = KMeans().cluster(vectors[members], 2, HALVING).labels == 1
        codes[members[half]] = len(scatter)
        scatter[widest] = _scatter(vectors, members[~half], first)
        scatter.append(_scatter(vectors, members[half], first))
    return codes


def merge_until(vectors: NDArray[np.float32], labels: NDArray[np.integer], k: int) -> NDArray[np.int32]:
    """(N, D) unit rows, (N,) labels -> (N,) labels with at most k numbers from 0."""
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    sizes = np.bincount(codes)
    if len(sizes) <= k:
        return codes
    directions = mean_directions(vectors, codes)
    lengths = np.bincount(codes, weights=own_similarity(vectors, directions, codes)) / sizes
    return cut(ward(directions * lengths[:, None], sizes), len(sizes), k)[codes]


def _scatter(vectors: NDArray[np.float32], members: NDArray[np.int64], first: NDArray[np.int64]) -> float:
    """Squared distances of unit rows to their mean, summed; -1 where all are the same, so that nothing can be split."""
    if len(np.unique(first[members])) < 2:
        return -1.0
    total = vectors[members].sum(axis=0, dtype=np.float64)
    return max(0.0, len(members) - float(total @ total) / len(members))
