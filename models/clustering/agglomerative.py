"""A hierarchy: k-means into many small groups, whose centroids are merged pair by pair (Ward); one run gives every k.

Ward 1963 (https://doi.org/10.1080/01621459.1963.10500845) over the centroids of k-means, weighted by their sizes: both
lessen the same scatter, so the merges go on where k-means stopped. A million vectors cost a few passes of k-means and
not a million squared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress, Tree
from models.clustering.empty_clusters import fill_empty
from models.clustering.lloyd import assign, fit
from models.clustering.result import check_k, mean_directions, numbered
from models.clustering.stages import stages
from models.clustering.tree import cut
from models.clustering.unit_vectors import first_occurrence, own_similarity, unit_rows
from models.clustering.ward import ward

RESTARTS = 2  # leaves are merged again: which local optimum they come from matters little
CANCELLED = 1e-6  # a sum of unit vectors this short has no direction
SEARCH = 8192  # images the restarts compete on, or 100 for each leaf


class Params(BaseModel):
    """What can be set on a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leaves: int | None = Field(
        None,
        ge=2,
        le=20_000,
        description="Small clusters that are merged step by step, and the most clusters the tree can be cut into; "
        "left out: about the square root of the number of images, and at least 200.",
    )
    iterations: int = Field(15, ge=1, le=200, description="At most this many iterations of the k-means for the leaves.")


class Agglomerative(Algorithm):
    """Exactly k non-empty clusters and the tree they are cut from; every image belongs to one.

    The tree's leaves are numbered by their first image; where k is more than the leaves asked for, there are k leaves.
    """

    name = "agglomerative"
    summary = (
        "Many small groups, joined two by two into ever bigger ones: change the number of clusters afterwards without "
        "a new run. Works on all images, whatever their number."
    )
    Params = Params

    def _cluster(
        self, vectors: NDArray[np.float32], k: int, params: Params, seed: int, progress: Progress
    ) -> Clustering:
        growing, merging = stages(progress, 8, 1)
        first = first_occurrence(vectors)
        check_k(k, first)
        leaves = _leaves(vectors, first, k, params, seed, growing)
        directions, lengths, sizes = _means(vectors, leaves)
        tree = Tree(leaves, ward(directions * lengths[:, None], sizes, merging))
        labels = cut(tree.merges, len(sizes), k)
        return numbered(vectors, labels[leaves], _centres(directions, lengths * sizes, labels), tree)


PLUGIN = Agglomerative()


def leaves_for(images: int) -> int:
    """How many leaves so many images get when nobody says."""
    return max(200, round(float(images) ** 0.5))


def _leaves(
    vectors: NDArray[np.float32],
    first: NDArray[np.int64],
    k: int,
    params: Params,
    seed: int,
    progress: Progress,
) -> NDArray[np.int32]:
    """(N, D) -> (N,) small clusters, at least k of them, none empty, numbered by their first image."""
    distinct = int(np.count_nonzero(first == np.arange(len(first))))
    count = min(max(k, params.leaves or leaves_for(len(vectors))), distinct)
    if count == distinct:
        progress(1, 1)
        return _by_first_image(first)
    centres = fit(
        vectors, count, restarts=RESTARTS, iterations=params.iterations, search=SEARCH, seed=seed, progress=progress
    )
    labels = assign(vectors, centres)[0][first]  # equal vectors share a leaf, whatever rounding says
    if len(np.unique(labels)) < k:
        labels, _ = fill_empty(vectors, labels, centres, first)
    return _by_first_image(labels)


def _by_first_image(labels: NDArray[np.integer]) -> NDArray[np.int32]:
    """(N,) any numbers -> (N,) numbers from 0 in order of appearance."""
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes].astype(np.int32)


def _means(
    vectors: NDArray[np.float32], leaves: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """(N, D) unit rows, (N,) -> of each leaf's mean the direction (L, D) and the length (L,), and the sizes (L,)."""
    directions = mean_directions(vectors, leaves)
    sizes = np.bincount(leaves)
    lengths = np.bincount(leaves, weights=own_similarity(vectors, directions, leaves)) / sizes
    return directions, lengths, sizes


def _centres(
    directions: NDArray[np.float32], sums: NDArray[np.float64], labels: NDArray[np.int32]
) -> NDArray[np.float32]:
    """(L, D), (L,) length of the sum of a leaf's images, (L,) -> (K, D) unit mean of each cluster's images.

    Read off the leaves, so that no cluster of a large set is copied. Where the images of a cluster cancel out, its
    first leaf stands for it.
    """
    total = np.zeros((int(labels.max()) + 1, directions.shape[1]))
    np.add.at(total, labels, directions * sums[:, None])
    cancelled = np.linalg.norm(total, axis=1) <= CANCELLED
    total[cancelled] = directions[np.unique(labels, return_index=True)[1][cancelled]]
    return unit_rows(total.astype(np.float32))
