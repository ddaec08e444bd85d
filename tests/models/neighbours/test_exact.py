"""Nearest rows against the whole matrix of cosines."""

from __future__ import annotations

import numpy as np
import pytest

from models.clustering.unit_vectors import unit_rows
from models.neighbours import exact
from models.neighbours.exact import nearest


def cloud(count: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).standard_normal((count, dim)))


def test_nearest_are_those_of_the_whole_matrix_block_by_block(monkeypatch):
    rows = cloud(100)
    monkeypatch.setattr(exact, "BLOCK", 32)
    seen: list[tuple[int, int]] = []
    found, cosine = nearest(rows, 5, lambda *at: seen.append(at))
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -2)
    np.testing.assert_array_equal(found, np.argsort(-similarity, axis=1)[:, :5])
    np.testing.assert_allclose(cosine, np.take_along_axis(similarity, found, axis=1), atol=1e-6)
    assert seen == [(32, 100), (64, 100), (96, 100), (100, 100)]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_there_are_never_more_neighbours_than_others(count):
    found, cosine = nearest(cloud(count), 5)
    assert found.shape == cosine.shape == (count, count - 1)
    assert all(sorted([row, *others]) == list(range(count)) for row, others in enumerate(found.tolist()))


def test_a_row_among_many_copies_of_it_has_full_lists():
    found, _ = nearest(np.repeat(cloud(1), 9, axis=0), 3)
    assert found.shape == (9, 3) and (found != np.arange(9)[:, None]).all()
