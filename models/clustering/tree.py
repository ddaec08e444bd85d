"""A hierarchy of small clusters, the leaves: any number of clusters is a cut through it, read off without the vectors.

What has to be kept of a run is one line a leaf (size, cohesion, representatives; see `leaf_clustering`) and the merges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.base import Clustering, ClusteringError, Tree
from models.clustering.result import mean_directions
from models.clustering.unit_vectors import own_similarity


@dataclass(frozen=True, eq=False)
class Cut:
    """K clusters of L leaves, numbered by descending number of images, ties by the first leaf.

    labels           (L,) int32, the cluster of each leaf
    sizes            (K,) int64, images
    cohesion         (K,) mean cosine of a cluster's images to its mean direction; 1 is perfectly tight
    representatives  what stands for each cluster: the most typical of its biggest leaf, then of the next, and so on
    """

    labels: NDArray[np.int32]
    sizes: NDArray[np.int64]
    cohesion: NDArray[np.float64]
    representatives: list[list[int]]


def cut(merges: NDArray[np.float64], leaves_count: int, k: int) -> NDArray[np.int32]:
    """(L - 1, 4) linkage -> (L,) labels of exactly k clusters, numbered by their first leaf.

    Raises ClusteringError unless 1 <= k <= L, and ValueError when there are not L - 1 merges.
    """
    if len(merges) != leaves_count - 1:
        raise ValueError(f"{leaves_count} leaves need {leaves_count - 1} merges, not {len(merges)}")
    if not 1 <= k <= leaves_count:
        raise ClusteringError(f"this tree can be cut into 1 to {leaves_count} clusters, not {k}")
    made = merges[: leaves_count - k, :2].astype(np.int64)
    owner = np.arange(leaves_count + len(made))
    for number in range(len(made) - 1, -1, -1):  # from the top: a cluster's own owner is known before its parts'
        owner[made[number]] = owner[leaves_count + number]
    _, first, label = np.unique(owner[:leaves_count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[label].astype(np.int32)


def regroup(
    merges: NDArray[np.float64],
    k: int,
    sizes: ArrayLike,
    cohesion: ArrayLike,
    representatives: Sequence[Sequence[int]],
    per_cluster: int = 12,
) -> Cut:
    """The clusters of a cut from (L,) sizes and cohesion of the leaves and what stands for each, most typical first.

    The cohesion is exact for merges of `agglomerative`: a Ward merge of height h adds h^2 / 2 to a cluster's scatter
    n (1 - cohesion^2), n its images. Raises ClusteringError as `cut`.
    """
    counts = np.asarray(sizes, np.int64)
    labels = cut(merges, len(counts), k)
    order = np.argsort(-np.bincount(labels, weights=counts, minlength=k), kind="stable")
    labels = np.argsort(order)[labels].astype(np.int32)
    total = np.bincount(labels, weights=counts, minlength=k)
    scatter = np.bincount(labels, weights=counts * (1 - np.asarray(cohesion, np.float64) ** 2), minlength=k)
    np.add.at(scatter, *_inside(merges, labels))
    return Cut(
        labels,
        total.astype(np.int64),
        np.sqrt(np.clip(1 - scatter / total, 0, 1)),
        [_in_turn(np.flatnonzero(labels == one), counts, representatives, per_cluster) for one in range(k)],
    )


def leaf_clustering(vectors: NDArray[np.float32], tree: Tree) -> Clustering:
    """(N, D) unit rows -> the leaves as clusters, by their numbers in the tree and not by size.

    Made for `cohesion` and `representatives`, whose results `regroup` takes.
    """
    centres = mean_directions(vectors, tree.leaves)
    return Clustering(tree.leaves, centres, 1 - own_similarity(vectors, centres, tree.leaves))


def _inside(merges: NDArray[np.float64], labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(L - k,) the cluster in which each merge below the cut happened, and what it added to the scatter."""
    leaves = len(labels)
    made = merges[: leaves - int(labels.max()) - 1]
    cluster = np.concatenate([labels, np.empty(len(made), np.int32)])
    for number, part in enumerate(made[:, 0].astype(np.int64)):
        cluster[leaves + number] = cluster[part]
    return cluster[leaves:], made[:, 2] ** 2 / 2


def _in_turn(
    leaves: NDArray[np.int64], sizes: NDArray[np.int64], representatives: Sequence[Sequence[int]], wanted: int
) -> list[int]:
    """One of each leaf, the biggest leaf first, then a second one of each, until there are enough."""
    ordered = [representatives[leaf] for leaf in leaves[np.argsort(-sizes[leaves], kind="stable")]]
    longest = max(len(row) for row in ordered)
    turns = (row[turn] for turn in range(longest) for row in ordered if turn < len(row))
    return [int(row) for _, row in zip(range(wanted), turns, strict=False)]
