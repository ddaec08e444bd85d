"""Candidates for the number of clusters, and how well a partition agrees with the graph of neighbours.

A partition is scored by its modularity (Newman and Girvan 2004) on the graph that
joins every image to its 10 nearest by cosine: the share of edges inside clusters, minus what sizes alone would give.
k-means tightens with every further cluster; the graph, which knows nothing of k, does not.

Measured on efficientnet-lite0 embeddings, the k chosen, then the mean NMI of those four and the mean |log(k / true k)|;
"20 sets" are these four, random subsets of their classes and mixtures of them, with NMI less that at the true k
(the first line over three seeds, the others over one):

    criterion                          birds  lands  pets  CIFAR-10   NMI   |log|     20 sets: NMI  |log|   bias
    true k                                13      7     3        10
    modularity, 10 neighbours (this)      10      6     4         8  .603   .258              -.03   .33   +.05
    modularity, 20 neighbours              7      7     4         5  .590   .400              -.01   .32   -.17
    BIC in 16 dimensions (x-means)        17     17     9        24  .582   .782              -.08   .75   +.75
    Davies-Bouldin                         5     40     2        54  .564  1.198              -.08  1.02   +.11
    eigengap of the graph's Laplacian     10      2     3         2  .550   .781              -.03   .40   -.26
    silhouette in 16 dimensions            8      3     2         2  .538   .837              -.04   .52   -.50
    stability of halves (ARI)              7      2     2         2  .524   .972              -.11   .85   -.85
    silhouette                             2      3     2         2  .447  1.184              -.11   .76   -.76

Where it errs: many small classes are taken together (a mixture of 33 gave 10 to 12), modularity's resolution limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.neighbour_graph import Edges
from models.clustering.unit_vectors import unit_rows

CANDIDATES = 18  # at most so many k, in a geometric row from 2
DIMENSIONS = 128  # principal directions k-means sees here; the neighbour graph has all of them
LARGEST = 256  # leaves 16 images of the sample to a cluster


def grid(images: int, distinct: int) -> list[int]:
    """Candidates for k: a geometric row from 2 to 1.5 sqrt(images), below the number of distinct vectors."""
    highest = min(LARGEST, round(1.5 * images**0.5), distinct - 1)
    if highest < 2:
        return []
    return sorted({round(k) for k in np.geomspace(2, highest, CANDIDATES)})


def principal(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) unit rows -> (N, min(D, 128)) unit rows along the directions that keep cosines best (uncentred PCA)."""
    if rows.shape[1] <= DIMENSIONS:
        return rows
    directions = np.linalg.eigh(rows.T @ rows)[1][:, -DIMENSIONS:]
    return unit_rows(rows @ directions)


def modularity(edges: Edges, labels: NDArray[np.integer]) -> float:
    """Edges in both directions, (N,) labels -> modularity, below 1; 0 for one cluster or a graph without edges."""
    start, end = edges
    if not len(start):
        return 0.0
    degree = np.bincount(start, minlength=len(labels))
    share = np.bincount(labels, weights=degree) / len(start)
    return float((labels[start] == labels[end]).mean() - (share**2).sum())
