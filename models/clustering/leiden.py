"""Leiden on the mutual-kNN graph: communities of images that are each other's neighbours; it finds their number itself.

Traag, Waltman and van Eck 2019 (https://arxiv.org/abs/1810.08473); see communities.py and `mutual_graph`. An edge
weighs exp(cosine / .1).

A number of clusters can be asked for all the same. The resolution is searched for one that gives it; where none does,
the next finer partition is merged to it by Ward's criterion on the communities' means. Both only change how coarse the
answer is, so this is sound; more clusters than the finest resolution gives come from halving the widest ones.

Measured on efficientnet-lite0 embeddings; with the true k by the number of neighbours:

                     NMI, true k: 10     15     20     30     its own k with 15: NMI   clusters
    birds, 13                   .749   .774   .784   .778                       .772      12
    lands, 7                    .544   .624   .577   .596                       .636      10
    pets, 3                     .744   .774   .771   .771                       .638       6
    CIFAR-10, 10                .378   .360   .393   .385                       .363      11
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress
from models.clustering.communities import communities
from models.clustering.exactly_k import merge_until, split_until
from models.clustering.neighbour_graph import Edges, mutual_graph
from models.clustering.result import check_k, from_labels
from models.clustering.sampled import draw
from models.clustering.stages import stages
from models.clustering.unit_vectors import own_similarity
from models.neighbours.exact import nearest

TEMPERATURE = 0.1
TRIALS = 24  # resolutions tried at most for a wanted k; each takes a second for 20,000 images
STEP = 4.0  # factor by which the resolution is first raised or lowered


class Params(BaseModel):
    """What can be set on a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbours: int = Field(15, ge=2, le=200, description="Most similar images that may be linked to an image.")
    resolution: float = Field(
        1.0, gt=0, le=1000, description="The higher, the more and the smaller clusters; unused when k is given."
    )
    sample: int = Field(
        20_000,
        ge=256,
        le=200_000,
        description="Works on so many different images at most; the others join their nearest neighbours' cluster.",
    )


class Leiden(Algorithm):
    """As many clusters as the graph has communities, or exactly k; every image belongs to one.

    The seed draws the sample and nothing else.
    """

    name = "leiden"
    summary = (
        "Links every image to those most like it and finds the circles of friends, and by itself how many there are. "
        "From 20,000 images on it works on a sample of them."
    )
    finds_k = True
    Params = Params

    def _cluster(
        self, vectors: NDArray[np.float32], k: int | None, params: Params, seed: int, progress: Progress
    ) -> Clustering:
        linking, dividing, spreading = stages(progress, 2, 2, 2)
        sample = draw(vectors, params.sample if k is None else max(params.sample, 2 * k), seed)
        if k is not None:
            check_k(k, sample.first)
        rows = sample.drawn
        edges = mutual_graph(nearest(rows, params.neighbours, linking)[0])
        weights = np.exp((own_similarity(rows[edges[0]], rows, edges[1]) - 1) / TEMPERATURE)
        dividing(0, 1)
        if k is None:
            labels = communities(edges, weights, len(rows), params.resolution)
        else:
            labels = _exactly(k, rows, edges, weights, dividing)
        dividing(1, 1)
        return from_labels(vectors, sample.spread(labels, spreading), sampled=sample.size)


PLUGIN = Leiden()


def _exactly(
    k: int, rows: NDArray[np.float32], edges: Edges, weights: NDArray[np.float32], progress: Progress
) -> NDArray[np.int32]:
    """(M, D) distinct rows and their graph -> (M,) labels of k clusters."""
    finer = coarser = None
    low, high = 0.0, np.inf
    resolution = 1.0
    for trial in range(TRIALS):
        progress(trial, TRIALS)
        labels = communities(edges, weights, len(rows), resolution)
        count = int(labels.max()) + 1
        if count == k:
            return labels
        if count > k:
            high, finer = resolution, labels
        else:
            low, coarser = resolution, labels
        resolution = low * STEP if high == np.inf else high / STEP if low == 0 else (low * high) ** 0.5
    if finer is not None:
        return merge_until(rows, finer, k)
    assert coarser is not None, "a trial gives more or fewer clusters than wanted, or exactly as many"
    return split_until(rows, coarser, k, np.arange(len(rows)))
