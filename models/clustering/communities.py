"""Leiden: communities of a graph by modularity, each of which hangs together (Traag, Waltman and van Eck 2019).

https://arxiv.org/abs/1810.08473; scikit-network's, with a refinement of our own. Its refinement draws from the C
library's rand(), which no seed of ours reaches, and goes round until nothing gains, which rounding can make for ever.
Here every node is looked at once, as in the paper, and joins the neighbour that gains most, as the paper's does at zero
temperature: the same graph gives the same communities.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clustering.neighbour_graph import Edges

TOLERANCE = 1e-5  # gain of modularity below which a round or a level ends


def communities(edges: Edges, weights: NDArray[np.float32], count: int, resolution: float) -> NDArray[np.int32]:
    """Both directions of each edge with positive weights, N nodes -> (N,) communities, numbered from 0.

    The higher the resolution, the more and the smaller they are; 1 is modularity as Newman defined it.
    """
    from scipy.sparse import csr_matrix

    if not len(weights):
        return np.arange(count, dtype=np.int32)
    graph = csr_matrix((weights.astype(np.float64), edges), shape=(count, count))
    leiden = _leiden()(
        resolution,
        modularity="newman",
        tol_optimization=TOLERANCE,
        tol_aggregation=TOLERANCE,
        return_probs=False,
        return_aggregate=False,
    )
    found = leiden.fit(graph)
    return np.unique(found.labels_, return_inverse=True)[1].astype(np.int32)


@cache
def _leiden() -> Any:
    from sknetwork.clustering import Leiden

    class Settled(Leiden):
        def _optimize_refine(
            self, labels: Any, labels_refined: Any, adjacency: Any, out_weights: Any, in_weights: Any
        ) -> NDArray[np.int64]:
            return refined(labels, adjacency, out_weights, self.resolution)

    return Settled


def refined(
    labels: NDArray[np.integer], adjacency: Any, mass: NDArray[np.float64], resolution: float
) -> NDArray[np.int64]:
    """(N,) communities, symmetric (N, N) CSR weights that sum to 1, (N,) their row sums -> (N,) parts of communities.

    Every node starts alone; while it is, it joins the part of its own community that raises modularity most, if any.
    """
    part = np.arange(len(labels)).tolist()
    alone, part_mass, own_mass = [True] * len(labels), mass.tolist(), mass.tolist()
    community = labels.tolist()
    pointer, neighbour, weight = adjacency.indptr.tolist(), adjacency.indices.tolist(), adjacency.data.tolist()
    for node in range(len(part)):
        if not alone[node]:
            continue
        to: dict[int, float] = {}
        for edge in range(pointer[node], pointer[node + 1]):
            other = neighbour[edge]
            if other != node and community[other] == community[node]:
                to[part[other]] = to.get(part[other], 0.0) + weight[edge]
        best, gain = node, 0.0
        for target, shared in to.items():
            if (gained := shared - resolution * own_mass[node] * part_mass[target]) > gain:
                best, gain = target, gained
        if best != node:
            alone[node] = alone[best] = False
            part[node] = best
            part_mass[best] += own_mass[node]
            part_mass[node] = 0.0
    return np.array(part, np.int64)
