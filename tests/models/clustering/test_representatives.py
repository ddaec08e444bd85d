"""Representatives: typical first, no copies beside each other while something else is left."""

from __future__ import annotations

import numpy as np
import pytest

from models.clustering.base import OUTLIER, Clustering
from models.clustering.kmeans import KMeans
from models.clustering.representatives import BLOCK, cohesion, representatives
from models.clustering.unit_vectors import own_similarity, unit_rows


def around(centre: np.ndarray, vectors: np.ndarray) -> Clustering:
    labels = np.zeros(len(vectors), np.int32)
    return Clustering(labels, centre[None], 1 - own_similarity(vectors, centre[None], labels))


def fan(degrees: list[float]) -> np.ndarray:
    """Unit vectors in a plane, at these angles from (1, 0)."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_near_duplicates_wait_until_nothing_else_is_left():
    vectors = fan([1, 2, 3, 40, 80])  # cosine of 40 degrees is .77, of 2 degrees .999
    clustering = around(fan([0])[0], vectors)
    assert representatives(vectors, clustering, 3)[0].tolist() == [0, 3, 4]
    assert representatives(vectors, clustering, 5)[0].tolist() == [0, 3, 4, 1, 2]
    assert representatives(vectors, clustering, 3, near_duplicate=1.1)[0].tolist() == [0, 1, 2]


def test_looks_beyond_a_burst_longer_than_one_block():
    vectors = np.concatenate([fan([1] * (BLOCK + 5)), fan([60, -70])])
    chosen = representatives(vectors, around(fan([0])[0], vectors), 4)[0]
    assert chosen[1:3].tolist() == [BLOCK + 5, BLOCK + 6] and len(set(chosen.tolist())) == 4


def test_every_cluster_has_its_own_and_the_most_typical_comes_first():
    vectors = unit_rows(np.random.default_rng(0).standard_normal((300, 8)))
    clustering = KMeans().cluster(vectors, 12)
    chosen = representatives(vectors, clustering, 6)
    assert len(chosen) == 12
    for cluster, rows in enumerate(chosen):
        members = np.flatnonzero(clustering.labels == cluster)
        assert 1 <= len(rows) == len(set(rows.tolist())) == min(6, len(members)) and set(rows) <= set(members)
        assert clustering.distances[rows[0]] == clustering.distances[members].min()


def test_outliers_represent_nothing():
    vectors = fan([0, 30, 60, 90])
    labels = np.array([OUTLIER, 0, 1, OUTLIER], np.int32)
    clustering = Clustering(labels, fan([30, 60]), np.array([np.nan, 0, 0, np.nan], np.float32))
    assert [rows.tolist() for rows in representatives(vectors, clustering)] == [[1], [2]]
    np.testing.assert_allclose(cohesion(clustering), [1, 1])


def test_none_at_all_is_refused():
    with pytest.raises(ValueError, match="per_cluster"):
        representatives(fan([0]), around(fan([0])[0], fan([0])), 0)


def test_cohesion_is_the_mean_cosine_to_the_centre():
    vectors = unit_rows(np.random.default_rng(1).standard_normal((200, 5)))
    clustering = KMeans().cluster(vectors, 4)
    expected = [(vectors[clustering.labels == c] @ clustering.centres[c]).mean() for c in range(4)]
    np.testing.assert_allclose(cohesion(clustering), expected, atol=1e-6)
