"""Principal directions against the exact decomposition."""

import numpy as np

from models.clustering.principal import principal
from models.clustering.unit_vectors import unit_rows


def clustered(rows: int, dim: int, rank: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return unit_rows((rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, dim))).astype(np.float32))


def test_all_of_a_low_rank_is_kept() -> None:
    vectors = clustered(200, 300, 10)
    small = principal(vectors, 10, seed=1)
    assert small.shape == (200, 10)
    np.testing.assert_allclose(small @ small.T, vectors @ vectors.T, atol=1e-4)


def test_the_leading_directions_are_those_of_the_exact_decomposition() -> None:
    rng = np.random.default_rng(2)
    scales = np.geomspace(1, 1e-3, 60)
    vectors = unit_rows((rng.normal(size=(400, 60)) * scales).astype(np.float32))
    _, _, exact = np.linalg.svd(vectors, full_matrices=False)
    expected = unit_rows(np.ascontiguousarray(vectors @ exact[:8].T))
    small = principal(vectors, 8, seed=0)
    np.testing.assert_allclose(small @ small.T, expected @ expected.T, atol=0.02)


def test_the_same_seed_gives_the_same_and_small_sets_fit() -> None:
    vectors = clustered(5, 40, 3)
    assert principal(vectors, 128, seed=3).shape[1] <= 5
    np.testing.assert_array_equal(principal(vectors, 4, seed=3), principal(vectors, 4, seed=3))
