"""Neighbours looked for in near cells alone: hardly any is missed, and cosines are exact."""

from __future__ import annotations

import numpy as np

from models.neighbours.cells import EXACT, NearVectors
from tests.models.clustering.test_outliers import around


def test_many_rows_have_their_neighbours_looked_up_in_cells() -> None:
    rng = np.random.default_rng(3)
    vectors = around(rng.normal(size=(50, 12)), [EXACT // 50 + 10] * 50, 0.3, rng)
    near = NearVectors(vectors)
    rows, cosines = near.search(0, 200, 10)
    exact = vectors[:200] @ vectors.T
    exact[np.arange(200), np.arange(200)] = -2
    best = -np.sort(-exact, axis=1)[:, :10]
    assert np.mean(cosines >= best - 1e-6) > 0.95, "recall of the ten nearest"
    assert (rows != np.arange(200)[:, None]).all()
    np.testing.assert_allclose(cosines[:, 0], np.take_along_axis(exact, rows, axis=1)[:, 0], atol=1e-6)
