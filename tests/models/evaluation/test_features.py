"""Spread, RankMe and retrieval against their definitions and on features whose state is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import features
from models.evaluation.features import rankme, retrieval, spread


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_random_directions_are_spread_and_collapsed_ones_are_not(rng):
    assert spread(rng.standard_normal((2000, 64))) == pytest.approx(1, abs=0.01)
    assert spread(np.tile(rng.standard_normal(64), (50, 1)) * rng.uniform(1, 9, (50, 1))) == pytest.approx(0, abs=1e-12)
    assert spread(np.zeros((9, 64))) == 0


def test_spread_is_its_definition(rng):
    drawn = rng.standard_normal((80, 7)).astype(np.float32) + 1
    unit = [row / np.sqrt((row.astype(float) ** 2).sum()) for row in drawn]
    deviations = [np.sqrt(np.mean((column - column.mean()) ** 2)) for column in np.array(unit).T]
    assert spread(drawn) == pytest.approx(np.mean(deviations) * np.sqrt(7), rel=1e-6)


def test_one_dominant_direction_lowers_the_spread(rng):
    drawn = rng.standard_normal((500, 32))
    shifted = [spread(drawn + shift) for shift in (0, 1, 4, 16)]
    assert shifted == sorted(shifted, reverse=True) and shifted[-1] < 0.1


@pytest.mark.parametrize("shape", [(300, 40), (40, 300)])
@pytest.mark.parametrize("rank", [1, 5, 20])
def test_rankme_counts_equal_directions(rng, shape, rank):
    left = np.linalg.qr(rng.standard_normal((shape[0], rank)))[0]
    right = np.linalg.qr(rng.standard_normal((shape[1], rank)))[0]
    assert rankme(3 * left @ right.T) == pytest.approx(rank, rel=1e-4)


@pytest.mark.parametrize("shape", [(120, 30), (30, 120)])
def test_rankme_is_its_definition(rng, shape):
    drawn = rng.standard_normal(shape) * np.linspace(0.1, 3, shape[1])
    values = np.linalg.svd(drawn, compute_uv=False)
    share = values / values.sum()
    assert rankme(drawn.astype(np.float32)) == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-5)
    assert rankme(1000 * drawn) == pytest.approx(rankme(drawn), rel=1e-9)


def test_rankme_of_nothing_is_0():
    assert rankme(np.zeros((4, 3))) == 0


def test_retrieval_is_its_definition_in_any_block(rng, monkeypatch):
    first = rng.standard_normal((101, 8))
    second = first + 0.8 * rng.standard_normal((101, 8))
    unit = [view / np.linalg.norm(view, axis=1, keepdims=True) for view in (first, second)]
    right = [
        max(range(101), key=lambda j, q=q, rows=rows: float(q @ rows[j])) == i
        for queries, rows in (unit, unit[::-1])
        for i, q in enumerate(queries)
    ]
    assert 0.1 < np.mean(right) < 0.9
    assert retrieval(first, second) == pytest.approx(np.mean(right))
    monkeypatch.setattr(features, "BLOCK", 7)
    assert retrieval(first, second) == pytest.approx(np.mean(right))


def test_retrieval_of_equal_views_is_1_and_of_a_collapse_1_in_n(rng):
    drawn = rng.standard_normal((40, 16)).astype(np.float32)
    assert retrieval(drawn, 5 * drawn) == 1
    assert retrieval(np.zeros((40, 16)), np.zeros((40, 16))) == pytest.approx(1 / 40)
    assert retrieval(np.ones((40, 16)), np.ones((40, 16))) == pytest.approx(1 / 40)


@pytest.mark.parametrize("measure", [spread, rankme, lambda rows: retrieval(rows, rows)])
@pytest.mark.parametrize("rows", [np.empty((0, 4)), np.ones(4), np.array([[1.0, np.nan]]), np.array([[np.inf, 1.0]])])
def test_what_cannot_be_measured_is_an_error(measure, rows):
    with pytest.raises(ValueError, match="features"):
        measure(rows)


def test_views_of_different_images_are_an_error():
    with pytest.raises(ValueError, match="same shape"):
        retrieval(np.ones((3, 2)), np.ones((4, 2)))
