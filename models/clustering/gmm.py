"""A mixture of Gaussians: clusters of different widths, which one radius for all (k-means) cannot have.

Expectation-maximisation (Dempster, Laird and Rubin 1977), scikit-learn's GaussianMixture with diagonal covariances, on
the first 64 principal components: with more, a cluster has fewer images than variances to fit. It starts from k-means.

NMI on efficientnet-lite0 embeddings with the true k, seeds 0 and 1: birds .756, .756, lands .590, .595, pets .771,
.780, CIFAR-10 .368, .367.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress
from models.clustering.exactly_k import split_until
from models.clustering.kmeans import KMeans
from models.clustering.result import check_k, from_labels
from models.clustering.sampled import Sample, draw
from models.clustering.stages import stages

BLOCK = 8192  # images a step when all are given their cluster
CELLS = 50_000_000  # images times clusters in the sample at most: so many float64 numbers are held a few times
FLOOR = 0.05  # of the mean variance, added to every variance: two images would have none in most directions
ROUNDS = 5  # iterations between two reports
SETTLED = 1e-3  # gain of the mean log-likelihood below which iterating ends


class Params(BaseModel):
    """What can be set on a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    components: int = Field(64, ge=2, le=256, description="Principal components of the embeddings that are looked at.")
    iterations: int = Field(100, ge=1, le=1000, description="At most this many iterations; it stops once settled.")
    sample: int = Field(
        50_000,
        ge=256,
        le=200_000,
        description="The shapes of clusters are found on so many different images at most; then all images are placed.",
    )


class Gmm(Algorithm):
    """Exactly k non-empty clusters; every image belongs to one."""

    name = "gmm"
    summary = (
        "Like k-means, but a group may be tight in one respect and wide in another. From 50,000 images on it finds "
        "the groups on a sample of them."
    )
    Params = Params

    def _cluster(
        self, vectors: NDArray[np.float32], k: int, params: Params, seed: int, progress: Progress
    ) -> Clustering:
        starting, fitting, placing = stages(progress, 3, 5, 2)
        sample = draw(vectors, max(min(params.sample, CELLS // max(k, 1)), 2 * k), seed)
        check_k(k, sample.first)
        start = KMeans().cluster(sample.drawn, k, seed=seed, progress=starting).labels
        labels = np.zeros(len(vectors), np.int32)
        if k > 1:
            components = _components(sample.drawn, params.components, seed)
            points = components.transform(sample.drawn).astype(np.float64)
            model = _fitted(points, start, params.iterations, seed, fitting)
            labels = _placed(sample, components, model, placing)
        placing(1, 1)
        return from_labels(vectors, split_until(vectors, labels, k, sample.first), sampled=sample.size)


PLUGIN = Gmm()


def _components(rows: NDArray[np.float32], dim: int, seed: int) -> Any:
    """(M, D) -> scikit-learn's PCA of them, at most `dim` components."""
    from sklearn.decomposition import PCA

    return PCA(min(dim, *rows.shape), svd_solver="randomized", random_state=seed % 2**32).fit(rows)


def _fitted(
    points: NDArray[np.float64], start: NDArray[np.int32], iterations: int, seed: int, progress: Progress
) -> Any:
    """(M, d) and (M,) first labels -> the mixture, fitted a few iterations at a time for the sake of progress."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    floor = FLOOR * float(points.var(axis=0).mean()) + float(np.finfo(np.float32).eps)
    model = GaussianMixture(
        int(start.max()) + 1,
        covariance_type="diag",
        reg_covar=floor,
        tol=SETTLED,
        max_iter=min(ROUNDS, iterations),
        warm_start=True,
        random_state=seed % 2**32,
        **_first_guess(points, start, floor),
    )
    for done in range(0, iterations, ROUNDS):
        progress(done, iterations)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # each of these short runs ends before it converges
            model.fit(points)
        if model.converged_:
            break
    progress(iterations, iterations)
    return model


def _first_guess(points: NDArray[np.float64], start: NDArray[np.int32], floor: float) -> dict[str, Any]:
    """(M, d), (M,) labels, none without an image -> weights, means and precisions of the clusters so far."""
    sizes = np.bincount(start)
    means, squares = np.zeros((2, len(sizes), points.shape[1]))
    np.add.at(means, start, points)
    means /= sizes[:, None]
    np.add.at(squares, start, (points - means[start]) ** 2)
    variances = squares / sizes[:, None] + floor
    return {"weights_init": sizes / len(start), "means_init": means, "precisions_init": 1 / variances}


def _placed(sample: Sample, components: Any, model: Any, progress: Progress) -> NDArray[np.int32]:
    """(N,) the most probable component of each image; copies go with the first of them."""
    labels = np.empty(len(sample.vectors), np.int32)
    for start in range(0, len(labels), BLOCK):
        part = slice(start, start + BLOCK)
        labels[part] = model.predict(components.transform(sample.vectors[part]).astype(np.float64))
        progress(min(start + BLOCK, len(labels)), len(labels))
    return labels[sample.first]
