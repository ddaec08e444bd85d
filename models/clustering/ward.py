"""Ward's hierarchy of points that have weights: the merges that add least to the scatter inside clusters, one by one.

Ward 1963 (https://doi.org/10.1080/01621459.1963.10500845) by nearest-neighbour chains (Murtagh 1983): exact, and in
memory for the points alone, where SciPy's holds all pairs (20,000 points: 1.6 GB) and knows no weights. A point of
weight w stands for w points in one place, so that it can go on from the centroids of k-means where k-means stopped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.base import Progress

REPORTS = 100  # at most about so many calls of progress


def ward(points: ArrayLike, weights: ArrayLike | None = None, progress: Progress | None = None) -> NDArray[np.float64]:
    """(L, D) points, (L,) positive weights -> (L - 1, 4) merges as SciPy's `linkage` gives them, lowest first.

    A merge of height h adds h^2 / 2 to the sum of squared distances to the centroids, each point counted by its weight.
    The fourth column counts points, not weight.
    """
    groups = _Groups(np.asarray(points, np.float64), weights)
    merges = np.empty((len(groups.ids) - 1, 3))
    chain: list[tuple[int, float]] = []  # a group, and the distance to it from the one before
    for done in range(len(merges)):
        if progress is not None and done % max(1, len(merges) // REPORTS) == 0:
            progress(done, len(merges))
        chain = groups.compacted(chain)
        (first, _), (second, height) = _mutual_pair(groups, chain)
        merges[done] = groups.ids[first], groups.ids[second], height
        groups.merge(first, second)
    if progress is not None:
        progress(len(merges), len(merges))
    return _linkage(merges[np.argsort(merges[:, 2], kind="stable")])


def _mutual_pair(groups: _Groups, chain: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Lengthen the chain to ever nearer groups until its last two are each other's nearest; they leave it.

    Groups of the chain are never taken twice: only rounding could make them the nearest again, in a circle.
    """
    while True:
        distances = groups.distances(chain[-1][0])
        distances[[member for member, _ in chain]] = np.inf
        nearest = int(distances.argmin())
        if not distances[nearest] < chain[-1][1]:
            pair = chain[-2:]
            del chain[-2:]
            return pair
        chain.append((nearest, float(distances[nearest])))


class _Groups:
    """Clusters so far: a centroid, a weight (0 once merged into another) and the number of one of its points."""

    def __init__(self, points: NDArray[np.float64], weights: ArrayLike | None) -> None:
        self.centres = points - points.mean(axis=0)  # a common offset would only cost digits
        self.weights = np.ones(len(points)) if weights is None else np.array(weights, np.float64)
        self.squares = np.einsum("ld,ld->l", self.centres, self.centres)
        self.ids = np.arange(len(points))

    def distances(self, group: int) -> NDArray[np.float64]:
        """(G,) Ward's distance to every other group; infinite to those that are no more."""
        apart = self.squares + self.squares[group] - 2 * (self.centres @ self.centres[group])
        weight = self.weights * (2 * self.weights[group]) / (self.weights + self.weights[group])
        distances = np.sqrt(np.maximum(apart, 0) * weight)
        distances[self.weights == 0] = np.inf
        return np.asarray(distances)

    def merge(self, first: int, second: int) -> None:
        """The second group becomes part of the first."""
        weight = self.weights[first] + self.weights[second]
        share = self.weights[second] / weight
        self.centres[first] = (1 - share) * self.centres[first] + share * self.centres[second]
        self.squares[first] = self.centres[first] @ self.centres[first]
        self.weights[first], self.weights[second] = weight, 0

    def compacted(self, chain: list[tuple[int, float]]) -> list[tuple[int, float]]:
        """Drop merged groups once they are half of all, so that a step costs what is left.

        Gives the chain by the new numbers, or a first group for it to begin with.
        """
        alive = self.weights > 0
        if 2 * np.count_nonzero(alive) > len(alive):
            return chain or [(int(alive.argmax()), np.inf)]
        place = np.cumsum(alive) - 1
        self.centres, self.weights = self.centres[alive], self.weights[alive]
        self.squares, self.ids = self.squares[alive], self.ids[alive]
        return [(int(place[group]), height) for group, height in chain] or [(0, np.inf)]


def _linkage(merges: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, 3) a point of either cluster and the height, lowest first -> (M, 4) a linkage matrix."""
    points = len(merges) + 1
    parent, members = list(range(2 * points - 1)), [1] * (2 * points - 1)
    result = np.empty((len(merges), 4))
    for number, (first, second, height) in enumerate(merges.tolist()):
        low, high = sorted((_root(parent, int(first)), _root(parent, int(second))))
        new = points + number
        parent[low] = parent[high] = new
        members[new] = members[low] + members[high]
        result[number] = low, high, height, members[new]
    return result


def _root(parent: list[int], node: int) -> int:
    """The cluster that a point is in by now; paths are halved on the way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
