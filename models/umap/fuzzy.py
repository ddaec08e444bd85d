"""How strongly neighbours hold together: the weighted graph that UMAP lays out.

McInnes, Healy and Melville 2018, "UMAP: uniform manifold approximation and projection", section 3.1 and algorithms 2
and 3 (https://arxiv.org/abs/1802.03426).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 64  # of the bisection for each width
LEAST_WIDTH = 1e-3  # of the mean distance: equal neighbours would ask for none at all

Edges = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def distances(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of unit vectors -> their Euclidean distances, 0 to 2."""
    return np.sqrt(np.maximum(0, 2 - 2 * cosines))


def memberships(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) distances to the K nearest others, ascending -> (N, K) in (0, 1], 1 for the nearest.

    Each row has its own width, so that its memberships sum up to log2(K + 1): dense and sparse regions count alike.
    """
    beyond = distance - distance[:, :1]
    target = np.log2(distance.shape[1] + 1)
    low, high = np.zeros(len(distance)), np.full(len(distance), np.inf)
    width = np.ones(len(distance))
    for _ in range(STEPS):
        wide = np.exp(-beyond / width[:, None]).sum(axis=1) > target
        high, low = np.where(wide, width, high), np.where(wide, low, width)
        width = np.where(np.isinf(high), 2 * width, (low + high) / 2)
    width = np.maximum(width, LEAST_WIDTH * max(float(distance.mean()), LEAST_WIDTH))
    return np.exp(-beyond / width[:, None]).astype(np.float32)


def fuzzy_graph(found: NDArray[np.int64], cosines: NDArray[np.float32]) -> Edges:
    """(N, K) nearest others and their cosines -> heads, tails, weights (E,), every edge in both directions."""
    from scipy.sparse import csr_array

    count, width = found.shape
    weights = memberships(distances(cosines)).astype(np.float64)
    starts = np.arange(0, count * width + 1, width)
    graph = csr_array((weights.ravel(), found.ravel(), starts), shape=(count, count))
    either = graph + graph.T - graph * graph.T
    edges = either.tocoo()
    edges.sum_duplicates()
    return edges.row.astype(np.int64), edges.col.astype(np.int64), edges.data.astype(np.float32)
