"""Outliers: far from their neighbours by the measure of their cluster."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import median_abs_deviation

from models.clustering.base import OUTLIER, Clustering
from models.clustering.kmeans import KMeans
from models.clustering.outliers import CUT, PRIOR, SMALL, atypical, scores, thresholds
from models.clustering.result import from_labels


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def around(centres: np.ndarray, sizes: list[int], spread: float, rng: np.random.Generator) -> np.ndarray:
    rows = np.repeat(centres, sizes, axis=0)
    return unit(rows + spread * rng.normal(size=rows.shape))


def test_equals_the_formula() -> None:
    rng = np.random.default_rng(0)
    vectors = around(rng.normal(size=(2, 24)), [400, 300], 0.4, rng)
    labels = np.repeat(np.array([0, 1], np.int32), [400, 300])
    found = from_labels(vectors, labels)
    distance = np.sort(cdist(vectors.astype(float), vectors.astype(float), "cosine"), axis=1)[:, 10]  # 0 is itself
    whole = np.median(distance) + CUT * median_abs_deviation(distance, scale="normal")
    for cluster, size in ((0, 400), (1, 300)):
        own = distance[labels == cluster]
        limit = np.median(own) + CUT * median_abs_deviation(own, scale="normal")
        expected = own / ((size * limit + PRIOR * whole) / (size + PRIOR))
        np.testing.assert_allclose(scores(vectors, found)[labels == cluster], expected, rtol=1e-3)


def test_foreign_images_come_first_even_with_a_centre_of_their_own() -> None:
    rng = np.random.default_rng(1)
    vectors = around(rng.normal(size=(4, 64)), [120, 120, 120, 5], 0.6, rng)
    found = KMeans().cluster(vectors, 4, seed=0)
    odd = scores(vectors, found)
    assert set(np.argsort(-odd)[:5].tolist()) == set(range(360, 365))
    assert atypical(odd)[360:].all() and atypical(odd)[:360].mean() < 0.03


def test_what_the_algorithm_left_out_is_an_outlier() -> None:
    rng = np.random.default_rng(2)
    vectors = around(rng.normal(size=(1, 16)), [60], 0.3, rng)
    labels = np.zeros(60, np.int32)
    labels[7] = OUTLIER
    odd = scores(vectors, from_labels(vectors, labels))
    assert odd[7] > 1 and atypical(odd)[7]
    alone = Clustering(np.array([OUTLIER], np.int32), np.empty((0, 16), np.float32), np.array([np.nan], np.float32))
    assert atypical(scores(vectors[:1], alone)).tolist() == [True]


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_equal_images_are_never_outliers(count: int) -> None:
    vectors = unit(np.ones((count, 8)))
    odd = scores(vectors, from_labels(vectors, np.zeros(count, np.int32)))
    assert odd.shape == (count,) and odd.dtype == np.float32
    assert not atypical(odd).any()


def test_progress_can_stop_the_scoring() -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    vectors = unit(np.random.default_rng(4).normal(size=(20, 4)))
    with pytest.raises(Stopped):
        scores(vectors, from_labels(vectors, np.zeros(20, np.int32)), stop)


def by_distance(labels: np.ndarray, distances: np.ndarray) -> Clustering:
    return Clustering(labels.astype(np.int32), np.eye(labels.max() + 1, dtype=np.float32), distances.astype(np.float32))


def test_thresholds_of_distances_equal_the_formula_in_every_large_cluster() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [400, 300, SMALL - 1])
    distances = np.where(labels == 0, rng.gamma(2, 0.05, len(labels)), rng.gamma(2, 0.2, len(labels)))
    found = thresholds(by_distance(labels, distances))
    for cluster, own in ((0, distances[:400]), (1, distances[400:700]), (2, distances)):  # a small one has that of all
        limit = np.median(own) + CUT * median_abs_deviation(own, scale="normal")
        assert found[cluster] == pytest.approx(limit, abs=1e-5)
