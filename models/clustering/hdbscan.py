"""HDBSCAN in UMAP's space: groups are where images lie dense, and what lies between them belongs to none.

Campello, Moulavi and Sander 2013 (https://doi.org/10.1007/978-3-642-37456-2_14), scikit-learn's. Density means little
in a thousand dimensions, so it is measured after UMAP (see umap_space.py). Its outliers lie
between groups: a single image like no other is drawn to its nearest group by UMAP, and is found by its distance to the
centre (outliers.py).

Measured on efficientnet-lite0 embeddings, outliers counted as one more cluster; the default over three
seeds, `fine` over two:

                   NMI, default       clusters   outliers    fine: NMI    clusters   outliers
    birds, 13    .675, .771, .781        13         21       .714, .686      17        154
    lands, 7     .460, .460, .462         2          0       .508, .482      20        296
    pets, 3      .734, .734, .734         2          0       .472, .473       7         93
    CIFAR-10     .350, .353, .355        17        379       .303, .289      33       1092
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress
from models.clustering.result import from_labels
from models.clustering.sampled import draw
from models.clustering.stages import stages
from models.clustering.umap_space import SpaceParams, umap_space


class Params(SpaceParams):
    """What can be set on a run."""

    smallest: int = Field(10, ge=2, le=10_000, description="Images that a group has at least; fewer are outliers.")
    caution: int = Field(
        5,
        ge=1,
        le=200,
        description="The higher, the more images count as outliers: how many must lie close for density.",
    )
    fine: bool = Field(
        False, description="Take the smallest dense groups, with many outliers, instead of the most lasting ones."
    )


class Hdbscan(Algorithm):
    """As many clusters as there are dense groups, and outliers; where nothing is dense one cluster, of all."""

    name = "hdbscan"
    summary = (
        "Finds by itself how many dense groups there are and leaves aside images that fit in none. From 20,000 images "
        "on it works on a sample of them."
    )
    takes_k = False
    finds_k = True
    Params = Params

    def _cluster(
        self, vectors: NDArray[np.float32], k: None, params: Params, seed: int, progress: Progress
    ) -> Clustering:
        placing, grouping, spreading = stages(progress, 6, 2, 2)
        sample = draw(vectors, params.sample, seed)
        space = umap_space(sample.drawn, params, seed, placing)
        grouping(0, 1)
        labels = dense_groups(space, params)
        grouping(1, 1)
        return from_labels(vectors, sample.spread(labels, spreading), sampled=sample.size)


PLUGIN = Hdbscan()


def dense_groups(space: NDArray[np.float32], params: Params) -> NDArray[np.int64]:
    """(M, d) -> (M,) labels, -1 for outliers; one group when there are too few to tell."""
    if len(space) <= params.smallest:
        return np.zeros(len(space), np.int64)
    from sklearn.cluster import HDBSCAN

    caution = min(params.caution, len(space))
    choice = "leaf" if params.fine else "eom"
    found = HDBSCAN(
        min_cluster_size=params.smallest, min_samples=caution, cluster_selection_method=choice, copy=True
    ).fit(space)
    return np.asarray(found.labels_, np.int64)
