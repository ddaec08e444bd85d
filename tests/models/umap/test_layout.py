"""The parts of UMAP against their definitions: memberships, the fuzzy union, and slopes against differences."""

from __future__ import annotations

import numpy as np
import pytest

from models.maps.start import principal_plane
from models.umap.fuzzy import distances, fuzzy_graph, memberships
from models.umap.layout import MAP, NEAR, STEEPEST, TIGHT, _pull, _push, layout


def test_memberships_sum_up_to_the_logarithm_of_the_neighbours():
    apart = np.sort(np.random.default_rng(0).uniform(0.1, 1.5, (50, 14)).astype(np.float32), axis=1)
    found = memberships(apart)
    np.testing.assert_allclose(found.sum(axis=1), np.log2(15), rtol=1e-4)
    assert (found[:, 0] == 1).all() and (np.diff(found, axis=1) <= 0).all() and (found > 0).all()
    np.testing.assert_allclose(memberships(apart + 0.2), found, rtol=1e-3)  # only what lies beyond the nearest counts


def test_memberships_of_equal_neighbours():
    np.testing.assert_array_equal(memberships(np.zeros((3, 5), np.float32)), np.ones((3, 5)))
    np.testing.assert_array_equal(memberships(np.full((3, 5), 0.7, np.float32)), np.ones((3, 5)))


def test_the_graph_is_the_fuzzy_union_of_both_directions():
    found = np.array([[1, 2], [0, 2], [1, 0], [2, 1]])
    cosines = np.array([[0.9, 0.5], [0.9, 0.8], [0.8, 0.5], [0.4, 0.1]], np.float32)
    directed = np.zeros((4, 4))
    np.put_along_axis(directed, found, memberships(distances(cosines)), axis=1)
    union = np.zeros((4, 4))
    heads, tails, weights = fuzzy_graph(found, cosines)
    union[heads, tails] = weights
    np.testing.assert_allclose(union, directed + directed.T - directed * directed.T, atol=1e-6)


@pytest.mark.parametrize("curve", [MAP, TIGHT])
@pytest.mark.parametrize("length", [0.3, 1.0, 2.5])
def test_slopes_are_those_of_the_cross_entropy(length, curve):
    """Attraction lowers -log q, repulsion -log(1 - q), with q = 1 / (1 + a d^2b)."""

    def q(at: float) -> float:
        return 1 / (1 + curve.a * at ** (2 * curve.b))

    at = np.array([[length, 0]], np.float32)
    step = 1e-4
    pull = (-np.log(q(length + step)) + np.log(q(length - step))) / (2 * step)
    push = (np.log(1 - q(length + step)) - np.log(1 - q(length - step))) / (2 * step)
    np.testing.assert_allclose(_pull(at, curve)[0], [min(pull, STEEPEST), 0], rtol=1e-3)
    np.testing.assert_allclose(
        _push(at[:, None], curve)[0, 0], [min(push * length**2 / (NEAR + length**2), STEEPEST), 0], rtol=1e-3
    )


def test_points_on_one_place_do_not_burst():
    zero = np.zeros((4, 2), np.float32)
    assert (_pull(zero, MAP) == 0).all() and (_push(zero[:, None], MAP) == 0).all()
    far = np.full((1, 2), 1e-6, np.float32)
    assert np.abs(_push(far[:, None], MAP)).max() <= STEEPEST


def test_two_pairs_end_up_apart():
    """Edges pull their ends together; what has none between drifts away."""
    edges = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]), np.ones(4, np.float32)
    start = np.array([[0, 0], [1, 1], [1, 0], [0, 1]], np.float32)
    points = layout(start, edges, 0, lambda done, total: None)
    within = max(np.linalg.norm(points[0] - points[1]), np.linalg.norm(points[2] - points[3]))
    between = min(np.linalg.norm(a - b) for a in points[:2] for b in points[2:])
    assert between > 2 * within


def test_the_plane_is_that_of_the_singular_vectors():
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((80, 12)) * np.linspace(4, 0.1, 12) + 5).astype(np.float32)
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * values[:2]
    plane = principal_plane(rows, 0)
    np.testing.assert_allclose(np.abs((plane * expected).sum(axis=0)), (expected**2).sum(axis=0), rtol=1e-2)
    assert (plane.max(axis=0) >= -plane.min(axis=0)).all()
