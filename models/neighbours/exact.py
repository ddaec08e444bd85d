"""The nearest rows by cosine, each compared with all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096  # queries a step: where progress and cancelling have their place

Neighbours = tuple[NDArray[np.int64], NDArray[np.float32]]


def nearest(
    rows: NDArray[np.float32], neighbours: int, progress: Callable[[int, int], None] | None = None
) -> Neighbours:
    """(N, D) unit rows -> (N, K) the nearest other rows, nearest first, and (N, K) their cosines; K <= N - 1."""
    count, width = len(rows), min(neighbours, len(rows) - 1)
    found, similarity = np.empty((count, width), np.int64), np.empty((count, width), np.float32)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        found[start:stop], similarity[start:stop] = nearest_of(np.arange(start, stop), rows, width)
        if progress is not None:
            progress(stop, count)
    return found, similarity


def nearest_of(chosen: NDArray[np.int64], rows: NDArray[np.float32], neighbours: int) -> Neighbours:
    """(Q,) row numbers, (N, D) unit rows, at most N - 1 neighbours -> as `nearest`, for the rows chosen."""
    index, cosine = between(rows[chosen], rows, neighbours + 1)
    own = index == chosen[:, None]
    own[~own.any(axis=1), neighbours] = True  # more copies than places came before the row itself: drop the last
    shape = len(chosen), neighbours
    return index[~own].reshape(shape), cosine[~own].reshape(shape)


def between(queries: NDArray[np.float32], rows: NDArray[np.float32], neighbours: int) -> Neighbours:
    """(Q, D), (N, D) unit rows, at most N neighbours -> (Q, K) the nearest rows, nearest first, and (Q, K) cosines."""
    import faiss

    similarity, found = faiss.knn(queries, rows, neighbours, metric=faiss.METRIC_INNER_PRODUCT)
    return found, np.clip(similarity, -1, 1)
