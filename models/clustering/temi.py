"""TEMI: several small classifiers that teach themselves to give an image and its neighbours the same cluster.

Adaloglou, Michels, Kalisch and Kollmann 2023, https://arxiv.org/abs/2303.17896. Each head is a linear classifier with
k outputs, taught by its own slow average; its loss is the pointwise mutual information of an image and one of its
nearest neighbours, weighted by how sure the teacher is that they belong together (self_distillation.py). The paper
takes the head of the lowest loss, and gains 6 points of accuracy over k-means on ImageNet and 12 on CIFAR-100. Here
all heads vote: images are clustered by who voted alike (consensus by k-means, Wu et al. 2015,
https://doi.org/10.1109/TKDE.2014.2316512), which was .012 better than that head in the mean of four galleries, and
steadier. Known failure: without centring every head puts all images into one cluster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress
from models.clustering.exactly_k import split_until
from models.clustering.kmeans import KMeans
from models.clustering.principal import Axes
from models.clustering.result import check_k, from_labels
from models.clustering.sampled import Sample, draw
from models.clustering.stages import stages
from models.neighbours.exact import nearest

SMALLEST = 16  # with fewer images there is nothing to learn from neighbours; k-means answers
BATCH = 256  # images a step
SHORTEST, LONGEST = 4, 16  # steps an epoch counts for, however few or many images there are
BLOCK = 8192  # images in memory at a time
TINY = 1e-9
DIMENSIONS = 128  # principal directions the heads see: as good as all 1280, in a tenth of the time


class Params(BaseModel):
    """What can be set on a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heads: int = Field(16, ge=1, le=64, description="Classifiers that are trained at once and vote.")
    neighbours: int = Field(15, ge=1, le=200, description="Most similar images that shall get the same cluster.")
    epochs: int = Field(300, ge=1, le=5000, description="Passes over the images, where they are 1,000 to 4,000.")
    beta: float = Field(0.6, gt=0.5, le=1.0, description="Lower: rather clusters of equal size.")
    sample: int = Field(
        20_000,
        ge=256,
        le=200_000,
        description="Trains on so many different images at most; all others are only sorted.",
    )


class Temi(Algorithm):
    """Exactly k non-empty clusters; every image belongs to one."""

    name = "temi"
    summary = (
        "Small networks learn clusters in which similar images end up together, and vote; slower than round groups, "
        "and mostly truer. From 20,000 images on it learns from a sample of them."
    )
    Params = Params

    def _cluster(
        self, vectors: NDArray[np.float32], k: int, params: Params, seed: int, progress: Progress
    ) -> Clustering:
        searching, learning, voting = stages(progress, 1, 8, 1)
        sample = draw(vectors, max(params.sample, 2 * k), seed)
        check_k(k, sample.first)
        if k == 1 or len(sample.rows) < max(SMALLEST, 2 * k):
            return KMeans().cluster(vectors, k, seed=seed, progress=voting)
        votes = _votes(sample, k, params, seed, searching, learning)
        labels = _consensus(votes, sample, k, seed, voting)
        return from_labels(vectors, labels, sampled=sample.size)


PLUGIN = Temi()


def _votes(
    sample: Sample, k: int, params: Params, seed: int, searching: Progress, learning: Progress
) -> NDArray[np.int32]:
    """(N, H) the cluster that each head gives each image."""
    from models.clustering.self_distillation import predict, train_heads

    near, _ = nearest(sample.drawn, params.neighbours, searching)
    space = Axes.of(sample.drawn, DIMENSIONS)
    steps = params.epochs * min(max(-(-len(near) // BATCH), SHORTEST), LONGEST)
    heads = train_heads(_scaled(sample.drawn, space), near, k, params.heads, steps, BATCH, params.beta, seed, learning)
    blocks = np.array_split(np.arange(len(sample.vectors)), -(-len(sample.vectors) // BLOCK))
    return np.concatenate([predict(heads, _scaled(sample.vectors[block], space)) for block in blocks])


def _scaled(rows: NDArray[np.float32], space: Axes) -> NDArray[np.float32]:
    """(B, D) unit rows -> (B, d) around the mean of all, with lengths of sqrt(d) / 2."""
    inside = space.project(rows)
    length = np.linalg.norm(inside, axis=1, keepdims=True)
    return np.asarray(inside / np.maximum(length, TINY) * (inside.shape[1] ** 0.5 / 2), np.float32)


def _consensus(votes: NDArray[np.int32], sample: Sample, k: int, seed: int, progress: Progress) -> NDArray[np.int32]:
    """(N, H) votes -> (N,) exactly k labels: k-means over who voted alike, found on the sample.

    Every head's every cluster is a column, in which its images have a 1, or less where there are many of them.
    """
    seen = votes[sample.rows]
    heads = np.arange(votes.shape[1])
    sizes = np.stack([np.bincount(column, minlength=k) for column in seen.T])
    worth = (1 / np.sqrt(np.maximum(sizes, 1))).astype(np.float32)
    rows = np.zeros((len(seen), *worth.shape), np.float32)
    rows[np.arange(len(seen))[:, None], heads, seen] = worth[heads, seen]
    agreed = min(k, len(np.unique(seen, axis=0)))
    found = KMeans().cluster(rows.reshape(len(seen), -1), agreed, seed=seed, progress=progress)
    counts = found.centres.reshape(agreed, *worth.shape) * worth  # (k, H, k), of a vote for a cluster
    blocks = np.array_split(votes, -(-len(votes) // BLOCK))
    labels = np.concatenate([counts[:, heads, block].sum(axis=2).argmax(axis=0) for block in blocks])
    labels[sample.rows] = found.labels
    return split_until(sample.vectors, labels[sample.first], k, sample.first)
