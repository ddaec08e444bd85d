"""Dense groups, and what lies between them in none."""

from __future__ import annotations

import numpy as np

from models.clustering.base import OUTLIER
from models.clustering.hdbscan import Hdbscan, Params, dense_groups
from models.clustering.unit_vectors import unit_rows


def test_what_lies_scattered_between_dense_groups_is_in_none():
    rng = np.random.default_rng(0)
    dense = np.repeat([[0, 0], [10, 0], [0, 10]], 60, axis=0) + 0.3 * rng.standard_normal((180, 2))
    space = np.concatenate([dense, rng.uniform(-10, 20, (60, 2))]).astype(np.float32)
    labels = dense_groups(space, Params())
    assert set(labels.tolist()) == {OUTLIER, 0, 1, 2}
    assert (labels[:180] == OUTLIER).mean() < 0.1 and (labels[180:] == OUTLIER).mean() > 0.7
    assert all(len(set(labels[start : start + 60].tolist()) - {OUTLIER}) == 1 for start in (0, 60, 120))


def test_outliers_reach_the_result():
    vectors = unit_rows(np.random.default_rng(2).standard_normal((150, 5)))
    found = Hdbscan().cluster(vectors, "auto", Params(smallest=5, caution=10, fine=True, dimensions=2))
    assert 0 < (found.labels == OUTLIER).sum() < 150 and found.sizes.min() >= 5


def test_too_few_for_a_group_are_one():
    vectors = unit_rows(np.random.default_rng(1).standard_normal((9, 4)))
    assert Hdbscan().cluster(vectors, "auto", Params(smallest=10)).labels.tolist() == [0] * 9
