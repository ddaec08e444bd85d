"""Pseudo-labels: clusters of an encoder's own features, to be learned as if they were classes (Caron 2018).

https://arxiv.org/abs/1807.05520: features are PCA-whitened and L2-normalised, then k-means. Over-clustering is best
there: 10,000 clusters for the 1,000 classes of 1.28 million images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.clustering.base import KTooLarge
from models.clustering.empty_clusters import fill_empty
from models.clustering.lloyd import assign
from models.clustering.unit_vectors import first_occurrence

ITERATIONS = 20
WHITENED = 256  # dimensions, the paper's
IMAGES_A_DIMENSION = 10  # whitened dimensions that fewer images speak for are noise, made as loud as the rest
TEMPERATURE = 0.1  # of a classifier made of centroids, that of DeepCluster's second version and of SwAV
NEGLIGIBLE = 1e-6  # variance, relative to the largest, that is rounding


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """labels (N,) int64; centroids (k, d) float32 unit rows; splits, how many empty clusters got a part of another;
    imbalance, k times the sum of squared shares: 1 when all clusters are equally large.
    """

    labels: NDArray[np.int64]
    centroids: NDArray[np.float32]
    splits: int
    imbalance: float


def clusters_for(k: int | Literal["auto"], images: int) -> int:
    """How many clusters. "auto" is about min(N / 10, 10 sqrt(N)), at least 2.

    Ten images a cluster are enough to learn from; from 10,000 images on k grows with the root, which for ImageNet gives
    11,300, near what the paper found best. Raises KTooLarge.
    """
    if k == "auto":
        return max(2, round(min(images / 10, 10 * math.sqrt(images))))
    if k > images:
        raise KTooLarge(k, images)
    return k


def whitened_width(images: int, dim: int) -> int:
    return max(1, min(WHITENED, dim, images // IMAGES_A_DIMENSION))


def whitened(features: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(N, D) -> (N, width): principal components of equal variance, then rows of length 1.

    Components without variance are zero; so is a row that equals the mean.
    """
    centred = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    variance, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(features))  # ascending
    variance, directions = variance[::-1][:width], directions[:, ::-1][:, :width]
    scale = np.where(variance > NEGLIGIBLE * variance[0], 1 / np.sqrt(np.maximum(variance, np.finfo(float).tiny)), 0)
    rows = centred @ (directions * scale).astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.maximum(length, np.finfo(np.float32).tiny))


def pseudo_labels(rows: NDArray[np.float32], k: int, seed: int) -> PseudoLabels:
    """(N, d) unit rows -> k clusters, none of them empty. Raises KTooLarge when fewer than k rows are distinct.

    While it runs FAISS splits a cluster, drawn by its size, for each that is empty; what duplicates leave empty in the
    end gets the image that fits its own cluster least.
    """
    import faiss

    first = first_occurrence(rows)
    distinct = int(np.count_nonzero(first == np.arange(len(first))))
    if k > distinct:
        raise KTooLarge(k, distinct)
    kmeans = faiss.Kmeans(
        rows.shape[1], k, niter=ITERATIONS, seed=seed & 0x7FFFFFFF, spherical=True, min_points_per_centroid=1,
        max_points_per_centroid=len(rows) // k + 1, gpu=faiss.get_num_gpus() > 0,
    )  # fmt: skip
    kmeans.train(rows)
    found = assign(rows, kmeans.centroids)[0][first]
    splits = sum(int(step["nsplit"]) for step in kmeans.iteration_stats)
    splits += k - len(np.unique(found))
    labels, centroids = fill_empty(rows, found, kmeans.centroids, first)
    shares = np.bincount(labels, minlength=k) / len(labels)
    return PseudoLabels(labels.astype(np.int64), centroids, splits, float(k * np.square(shares).sum()))


def nearest_centroid(features: Tensor, labels: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(N, D), (N,) -> (k, D) weights and (k,) biases of a linear classifier: of the features less their mean, the
    cosine to each cluster's mean direction, over TEMPERATURE; exactly so for features of average length.
    """
    centre = features.mean(0)
    centred = features - centre
    lengths = centred.norm(dim=1, keepdim=True)
    sums = torch.zeros(k, features.shape[1]).index_add_(0, labels, centred / lengths.clamp(min=1e-12))
    weight = F.normalize(sums, dim=1) / (TEMPERATURE * lengths.mean().clamp(min=1e-12))
    return weight, -weight @ centre


def uniform_over_clusters(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) int64 -> (N,) images in random order, from every cluster equally many, give or take one.

    A large cluster gives a part of its images, another each time; a small one gives each of its images several times,
    give or take one.
    """
    _, labels, sizes = labels.unique(return_inverse=True, return_counts=True)
    members = labels.argsort(stable=True).split(sizes.tolist())
    quotas = torch.full_like(sizes, len(labels) // len(sizes))
    quotas[torch.randperm(len(sizes), generator=generator)[: len(labels) % len(sizes)]] += 1
    drawn = [_drawn(images, quota, generator) for images, quota in zip(members, quotas.tolist(), strict=True)]
    return torch.cat(drawn)[torch.randperm(len(labels), generator=generator)]


def _drawn(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of the images: whole random orders, one after the other."""
    rounds = -(-count // len(images))
    orders = [torch.randperm(len(images), generator=generator) for _ in range(rounds)]
    return images[torch.cat([*orders, torch.empty(0, dtype=torch.int64)])[:count]]
