"""Atypical images: far from their centre by the measure of their own cluster."""

from __future__ import annotations

import numpy as np
from scipy.stats import median_abs_deviation

from models.clustering.base import OUTLIER, Clustering
from models.clustering.outliers import CUT, SMALL, atypical


def clustering(labels: np.ndarray, distances: np.ndarray) -> Clustering:
    return Clustering(labels.astype(np.int32), np.eye(labels.max() + 1, dtype=np.float32), distances.astype(np.float32))


def test_equals_the_formula_in_every_large_cluster():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [400, 300])
    distances = np.where(labels == 0, rng.gamma(2, 0.05, 700), rng.gamma(2, 0.2, 700))
    expected = np.zeros(700, bool)
    for cluster in (0, 1):
        own = distances[labels == cluster]
        limit = np.median(own) + CUT * median_abs_deviation(own, scale="normal")
        expected[labels == cluster] = own > limit + 1e-6
    assert 0 < expected.sum() < 100
    np.testing.assert_array_equal(atypical(clustering(labels, distances)), expected)


def test_a_small_cluster_is_judged_by_all_images():
    distances = np.concatenate([np.linspace(0.1, 0.3, 100), [0.2, 0.2, 0.2, 0.21, 0.9]])
    labels = np.concatenate([np.zeros(100, int), [1] * 5])
    assert (labels == 1).sum() < SMALL
    # by its own median and MAD, .2 and 0, the last but one would be atypical too
    assert np.flatnonzero(atypical(clustering(labels, distances))).tolist() == [104]


def test_equal_images_are_never_atypical():
    distances = np.tile([0, 1e-7, 6e-8], 20)
    assert not atypical(clustering(np.zeros(60, int), distances)).any()


def test_what_the_algorithm_left_out_is_atypical():
    labels = np.array([OUTLIER, 0, 0])
    distances = np.array([np.nan, 0.1, 0.1])
    assert atypical(clustering(labels, distances)).tolist() == [True, False, False]
    alone = Clustering(np.array([OUTLIER], np.int32), np.empty((0, 2), np.float32), np.array([np.nan], np.float32))
    assert atypical(alone).tolist() == [True]
