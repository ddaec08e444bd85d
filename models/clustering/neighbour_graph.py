"""The nearest neighbours of every image by cosine, exactly, and the graphs made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress

BLOCK = 4096  # queries a step: where progress and cancelling have their place

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]
Neighbours = tuple[NDArray[np.int64], NDArray[np.float32]]


def nearest(rows: NDArray[np.float32], neighbours: int, progress: Progress | None = None) -> Neighbours:
    """(N, D) unit rows -> (N, K) the nearest other rows, nearest first, and (N, K) their cosines; K <= N - 1."""
    count, width = len(rows), min(neighbours, len(rows) - 1)
    found, similarity = np.empty((count, width), np.int64), np.empty((count, width), np.float32)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        index, cosine = between(rows[start:stop], rows, width + 1)
        own = index == np.arange(start, stop)[:, None]
        own[~own.any(axis=1), width] = True  # more copies than places came before the row itself: drop the last
        found[start:stop] = index[~own].reshape(stop - start, width)
        similarity[start:stop] = cosine[~own].reshape(stop - start, width)
        if progress is not None:
            progress(stop, count)
    return found, similarity


def between(queries: NDArray[np.float32], rows: NDArray[np.float32], neighbours: int) -> Neighbours:
    """(Q, D), (N, D) unit rows, at most N neighbours -> (Q, K) the nearest rows, nearest first, and (Q, K) cosines."""
    import faiss

    similarity, found = faiss.knn(queries, rows, neighbours, metric=faiss.METRIC_INNER_PRODUCT)
    return found, np.clip(similarity, -1, 1)


def neighbour_graph(rows: NDArray[np.float32], neighbours: int) -> Edges:
    """(N, D) unit rows -> both ends of every edge, in both directions: i and j joined when either is near the other."""
    count, width = len(rows), min(neighbours + 1, len(rows))
    found, _ = between(rows, rows, width)
    start, end = np.repeat(np.arange(count), width), found.ravel()
    start, end = start[start != end], end[start != end]
    pairs = np.unique(np.concatenate([start * count + end, end * count + start]))
    return pairs // count, pairs % count


def mutual_graph(found: NDArray[np.int64]) -> Edges:
    """(N, K) neighbours, nearest first -> both ends of every edge, in both directions, of the mutual-kNN graph.

    i and j are joined when each is among the other's neighbours; every row also to its very nearest, so that none is
    alone (Maier, Hein and von Luxburg 2009 on mutual graphs, https://arxiv.org/abs/0912.3408).
    """
    count, width = found.shape
    start, end = np.repeat(np.arange(count), width), found.ravel()
    forth, back = start * count + end, end * count + start
    mutual = np.isin(forth, back)
    closest = np.zeros((count, width), bool)
    closest[:, :1] = True
    kept = np.concatenate([forth[mutual], forth[closest.ravel()], back[closest.ravel()]])
    pairs = np.unique(kept)
    return pairs // max(count, 1), pairs % max(count, 1)
