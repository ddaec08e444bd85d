"""Clusters against known labels; and how well neighbours in the embedding share a label."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.base import OUTLIER
from models.clustering.unit_vectors import unit_rows
from models.neighbours.exact import nearest

BLOCK = 4096  # queries a step


def score(clusters: Sequence[Hashable], labels: Sequence[Hashable]) -> dict[str, float]:
    """External measures of n clustered images against their labels, all but n and k in [0, 1] (ari in [-0.5, 1]).

    k              clusters in use, outliers aside
    nmi            mutual information over the mean of the two entropies (equal to the V-measure)
    ari            Rand index, adjusted for chance (Hubert and Arabie 1985)
    accuracy       share of images that are right under the best one-to-one match of clusters and labels (Hungarian)
    purity         share of images that have the most frequent label of their cluster
    homogeneity    1 when every cluster holds one label only        (Rosenberg and Hirschberg 2007)
    completeness   1 when every label lies in one cluster only

    An outlier (cluster -1 or None) is an image that was not placed: it is never right for accuracy and purity, and for
    the others all outliers together are one more cluster, so that leaving hard images out cannot raise a score.
    Raises ValueError when there are no images or the lengths differ.
    """
    from scipy.optimize import linear_sum_assignment

    if len(clusters) != len(labels) or not len(labels):
        raise ValueError(f"need as many clusters as labels and at least one, not {len(clusters)} and {len(labels)}")
    predicted, true = _codes([OUTLIER if item is None else item for item in clusters]), _codes(labels)
    placed = np.array([item is not None and item != OUTLIER for item in clusters])
    table, whole = _contingency(predicted[placed], true[placed]), _contingency(predicted, true)
    homogeneity, completeness = _one_sided(whole), _one_sided(whole.T)
    both = homogeneity + completeness
    return {
        "n": len(labels),
        "k": int(np.count_nonzero(table.sum(axis=1))),
        "nmi": 2 * homogeneity * completeness / both if both else 0.0,
        "ari": _adjusted_rand(whole),
        "accuracy": float(table[linear_sum_assignment(table, maximize=True)].sum() / len(labels)),
        "purity": float(table.max(axis=1, initial=0).sum() / len(labels)),
        "homogeneity": homogeneity,
        "completeness": completeness,
    }


def neighbour_accuracy(vectors: ArrayLike, labels: Sequence[Hashable], k: int = 10) -> float:
    """Leave-one-out k-nearest-neighbour accuracy of (N, D) embeddings by cosine, a majority vote of equals.

    Of labels with equally many votes the one with the nearest neighbour wins. Fewer than k + 1 images: all others vote.
    Raises ValueError for fewer than two images, lengths that differ, or k below 1.
    """
    rows, codes = unit_rows(vectors), _codes(labels)
    if len(rows) != len(codes) or len(rows) < 2 or k < 1:
        raise ValueError(f"need two labelled vectors and k >= 1, not {len(rows)} vectors, {len(codes)} labels, k {k}")
    near, _ = nearest(rows, k)
    right = 0
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        right += int(np.count_nonzero(_majority(codes[near[part]]) == codes[part]))
    return right / len(rows)


def _one_sided(table: NDArray[np.int64]) -> float:
    """(K, L) images -> 1 - H(label | cluster) / H(label): how far a cluster tells the label; 1 for a single label."""
    share = table / table.sum()
    label = share.sum(axis=0)
    entropy = -float((label[label > 0] * np.log(label[label > 0])).sum())
    if entropy < np.finfo(float).eps:
        return 1.0
    rows, columns = np.nonzero(share)
    joint = share[rows, columns]
    given = -float((joint * np.log(joint / share.sum(axis=1)[rows])).sum())
    return min(1.0, max(0.0, 1 - given / entropy))


def _adjusted_rand(table: NDArray[np.int64]) -> float:
    """(K, L) images -> agreement of pairs beyond chance; 1 when both partitions are the same trivial one."""

    def pairs(counts: NDArray[np.int64]) -> float:
        return float((counts * (counts - 1) // 2).sum())

    together, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    total = pairs(np.array([table.sum()]))
    expected = rows * columns / total if total else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _majority(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q, k) labels, nearest first -> (Q,) the most frequent; of equals the one that comes first."""
    count = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
    return np.take_along_axis(votes, count.argmax(axis=1)[:, None], axis=1)[:, 0]


def _codes(items: Sequence[Hashable]) -> NDArray[np.int64]:
    """Numbers for things that can be compared but not sorted, in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return np.fromiter((numbers.setdefault(item, len(numbers)) for item in items), np.int64, len(items))


def _contingency(clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,), (N,) -> (K, L) images with each pair."""
    shape = (clusters.max(initial=-1) + 1, labels.max(initial=-1) + 1)
    table = np.zeros(shape, np.int64)
    np.add.at(table, (clusters, labels), 1)
    return table
