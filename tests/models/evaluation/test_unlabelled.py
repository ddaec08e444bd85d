"""Internal measures against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import davies_bouldin_score, silhouette_score

from models.clustering.base import OUTLIER, Clustering
from models.clustering.kmeans import KMeans
from models.clustering.unit_vectors import unit_rows
from models.evaluation.unlabelled import metrics, silhouette


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return unit_rows(np.random.default_rng(0).standard_normal((1300, 10)))


@pytest.mark.parametrize("k", [2, 9, 60])
def test_equal_scikit_learn(vectors, k):
    clustering = KMeans().cluster(vectors, k)
    found = metrics(vectors, clustering)
    assert found["silhouette"] == pytest.approx(silhouette_score(vectors, clustering.labels, metric="cosine"), abs=1e-5)
    assert found["davies_bouldin"] == pytest.approx(davies_bouldin_score(vectors, clustering.labels), abs=1e-4)
    distance = 1 - clustering.centres @ clustering.centres.T + 9 * np.eye(k)
    assert found["separation"] == pytest.approx(distance.min(axis=1).mean(), abs=1e-5)


def test_images_alone_in_their_cluster_count_as_zero(vectors):
    labels = np.array([0, 0, 0, 1, 1, 2, 3])
    expected = silhouette_score(vectors[:7], labels, metric="cosine")
    assert silhouette(vectors[:7], labels) == pytest.approx(expected, abs=1e-6)


def test_the_sampled_silhouette_is_repeatable_and_near_the_whole(vectors):
    clustering = KMeans().cluster(vectors, 5)
    whole = metrics(vectors, clustering)["silhouette"]
    first, second, other = (metrics(vectors, clustering, seed, sample=600)["silhouette"] for seed in (1, 1, 2))
    assert first == second != other
    assert first == pytest.approx(whole, abs=0.02)


def test_balance_is_the_normalised_entropy():
    labels = np.repeat([0, 1, 2], [6, 3, 1]).astype(np.int32)
    clustering = Clustering(labels, np.eye(3, dtype=np.float32), np.zeros(10, np.float32))
    share = np.array([0.6, 0.3, 0.1])
    expected = -(share * np.log(share)).sum() / np.log(3)
    assert metrics(np.eye(3, dtype=np.float32)[labels], clustering)["balance"] == pytest.approx(expected)


def test_one_cluster_leaves_most_undefined(vectors):
    found = metrics(vectors, KMeans().cluster(vectors, 1))
    assert found.pop("cohesion") is not None
    assert set(found) == {"silhouette", "davies_bouldin", "separation", "balance"}
    assert all(value is None for value in found.values())


def test_every_image_its_own_cluster_has_no_silhouette(vectors):
    found = metrics(vectors[:8], KMeans().cluster(vectors[:8], 8))
    assert found["silhouette"] is None and found["balance"] == 1 and found["cohesion"] == pytest.approx(1)


def test_outliers_count_in_nothing(vectors):
    clustering = KMeans().cluster(vectors[:200], 4)
    padded = Clustering(
        np.append(clustering.labels, [OUTLIER] * 3).astype(np.int32),
        clustering.centres,
        np.append(clustering.distances, [np.nan] * 3).astype(np.float32),
    )
    assert metrics(vectors[:203], padded) == pytest.approx(metrics(vectors[:200], clustering))
    nothing = Clustering(np.full(2, OUTLIER, np.int32), np.empty((0, 10), np.float32), np.full(2, np.nan, np.float32))
    assert set(metrics(vectors[:2], nothing).values()) == {None}
