"""Weighted Ward against SciPy's, which knows no weights: a point of weight w is w points in one place."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_valid_linkage, linkage

from models.clustering.ward import ward


@pytest.mark.parametrize(("count", "dim"), [(2, 3), (3, 1), (60, 4), (300, 20), (70, 500)])
def test_equals_scipy_without_weights(count, dim):
    points = np.random.default_rng(count).standard_normal((count, dim))
    found = ward(points)
    assert is_valid_linkage(found)
    np.testing.assert_allclose(found, linkage(points, "ward"), atol=1e-10)


def test_a_weight_is_as_many_points_in_one_place():
    rng = np.random.default_rng(0)
    points, weights = rng.standard_normal((40, 3)), rng.integers(1, 6, 40)
    expected = linkage(np.repeat(points, weights, axis=0), "ward")[-39:]  # the first merges join the copies
    np.testing.assert_allclose(ward(points, weights)[:, 2], expected[:, 2], atol=1e-10)


@pytest.mark.parametrize("points", [np.ones((30, 4)), np.eye(50), np.arange(40.0)[:, None], np.indices((5, 6)).T])
def test_ties_end_in_a_valid_tree(points):
    points = points.reshape(-1, points.shape[-1]).astype(float)
    found = ward(points)
    assert is_valid_linkage(found) and found[-1, 3] == len(points)
    assert found[:, 2].sum() <= linkage(points, "ward")[:, 2].sum() * 1.1 + 1e-9


def test_one_point_needs_no_merge():
    assert ward(np.ones((1, 5))).shape == (0, 4)


def test_progress_rises_to_its_total_and_what_it_raises_ends_it():
    seen: list[tuple[int, int]] = []
    ward(np.random.default_rng(1).standard_normal((250, 2)), progress=lambda *at: seen.append(at))
    assert seen == sorted(seen) and seen[0] == (0, 249) and seen[-1] == (249, 249) and 50 < len(seen) < 200

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        ward(np.eye(3), progress=stop)
