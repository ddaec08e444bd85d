"""UMAP's space for clustering: the same for a seed, whole where its own start fails, and it reports and stops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from models.clustering.umap_space import SMALLEST, SpaceParams, umap_space
from models.clustering.unit_vectors import unit_rows


def groups(counts: list[int], spread: float, dim: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(sum(counts))
    truth = np.repeat(np.arange(len(counts)), counts)
    return unit_rows(
        unit_rows(rng.standard_normal((len(counts), dim)))[truth]
        + spread * unit_rows(rng.standard_normal((len(truth), dim)))
    ), truth


def test_parts_without_a_link_between_them_lie_apart_and_the_seed_decides():
    rows, truth = groups([40, 45, 50, 35], 0.2)  # with 8 neighbours the graph falls into four parts
    small = SpaceParams(neighbours=8, dimensions=6)
    space = umap_space(rows, small, 3)
    assert space.shape == (170, 6) and space.dtype == np.float32 and np.isfinite(space).all()
    distances = cdist(space, space)
    same = truth[:, None] == truth
    assert distances[same].max() < distances[~same].min()
    assert umap_space(rows, small, 3).tobytes() == space.tobytes()
    assert umap_space(rows, small, 4).tobytes() != space.tobytes()


def test_neighbours_stay_neighbours():
    rows, _ = groups([150], 3.0, dim=4)
    space = umap_space(rows, SpaceParams(dimensions=3), 0)
    ours, theirs = (np.argsort(cdist(side, side), axis=1)[:, 1:11] for side in (space, rows))
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)])
    assert kept > 0.4  # by chance .07


@pytest.mark.parametrize("count", [SMALLEST, SMALLEST + 1, 40])
def test_few_or_nearly_equal_images_have_a_place(count):
    for rows in (groups([count], 1.0)[0], groups([count], 1e-6)[0]):
        assert np.isfinite(umap_space(rows, SpaceParams(), 0)).all()


def test_too_few_for_a_layout_stay_where_they_are():
    rows = groups([SMALLEST - 1], 1.0)[0]
    assert umap_space(rows, SpaceParams(), 0) is rows


def test_every_round_is_reported_and_can_end_it():
    rows, _ = groups([60], 1.0)
    seen: list[tuple[int, int]] = []
    umap_space(rows, SpaceParams(), 0, progress=lambda *at: seen.append(at))
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1] and len(set(seen)) > 100

    def stop(done: int, total: int) -> None:
        if 2 * done > total:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        umap_space(rows, SpaceParams(), 0, progress=stop)
