"""Maps: neighbours stay neighbours, groups stay apart, the same seed gives the same map, and any input has one."""

from __future__ import annotations

import numpy as np
import pytest

from models.clustering.unit_vectors import unit_rows
from models.maps import place, project, projection


def groups(count: int, of: int = 4, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows in tight groups, and the group of each."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, of, count)
    return unit_rows(rng.standard_normal((of, dim))[group] + 0.3 * rng.standard_normal((count, dim))), group


def own_group(points: np.ndarray, group: np.ndarray) -> float:
    """The share of images whose nearest on the map is of their own group."""
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=-1) + np.diag(np.full(len(points), np.inf))
    return float((group[apart.argmin(axis=1)] == group).mean())


def test_neighbours_stay_neighbours():
    """On all of these digits umap-learn reaches 0.986 to 0.988 with the same neighbours and start (docs/map.md)."""
    from sklearn.datasets import load_digits
    from sklearn.manifold import trustworthiness

    rows = unit_rows(load_digits(return_X_y=True)[0][:900])
    points = project(rows, 0)
    assert trustworthiness(rows, points, n_neighbors=10) > 0.97
    assert np.abs(points.mean(axis=0)).max() < 1e-3 and 5 < np.ptp(points) < 60


def test_the_same_seed_gives_the_same_map():
    rows, _ = groups(200)
    first = project(rows, 7)
    np.testing.assert_array_equal(first, project(rows, 7))
    assert not np.array_equal(first, project(rows, 8))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 15, 16, 17, 40])
@pytest.mark.parametrize("dim", [1, 2, 64])
def test_few_images(count, dim):
    rng = np.random.default_rng(count)
    points = project(unit_rows(rng.standard_normal((count, dim))), 0)
    assert points.shape == (count, 2) and points.dtype == np.float32 and np.isfinite(points).all()


def test_three_images_lie_as_far_apart_as_they_are():
    rows = np.eye(3, dtype=np.float32)
    points = project(rows, 0)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.testing.assert_allclose(apart, np.sqrt(2) * (1 - np.eye(3)), atol=1e-5)


def test_equal_images_lie_on_one_place():
    rows, _ = groups(60)
    rows[30:] = rows[:30]
    points = project(rows, 0)
    np.testing.assert_array_equal(points[30:], points[:30])
    assert len(np.unique(points, axis=0)) == 30
    np.testing.assert_array_equal(project(np.repeat(rows[:1], 50, axis=0), 0), np.zeros((50, 2)))


def test_opposites_and_many_near_copies():
    line = np.repeat(np.array([[1, 0, 0], [-1, 0, 0]]), 40, axis=0)
    rows = unit_rows(line + 1e-4 * np.random.default_rng(0).standard_normal((80, 3)))
    points = project(rows, 0)
    assert np.isfinite(points).all() and own_group(points, np.repeat([0, 1], 40)) == 1


def test_beyond_the_limit_a_sample_is_laid_out(monkeypatch):
    rows, group = groups(400)
    monkeypatch.setattr(projection, "WHOLE", 300)
    monkeypatch.setattr(projection, "SAMPLE", 120)
    monkeypatch.setattr(projection, "BLOCK", 100)
    points = project(rows, 0)
    assert np.isfinite(points).all() and own_group(points, group) > 0.98


def test_progress_rises_to_its_end_and_may_stop_the_work(monkeypatch):
    rows, _ = groups(150)
    monkeypatch.setattr(projection, "WHOLE", 120)
    monkeypatch.setattr(projection, "SAMPLE", 100)
    seen: list[tuple[int, int]] = []
    project(rows, 0, lambda *at: seen.append(at))
    done = [at / of for at, of in seen]
    assert done == sorted(done) and done[-1] == 1 and len(set(done)) > 50

    def stop(at: int, of: int) -> None:
        if at / of > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        project(rows, 0, stop)


class TestPlace:
    def test_a_copy_gets_the_place_of_its_original(self):
        rows, _ = groups(100)
        points = project(rows, 0)
        np.testing.assert_array_equal(place(rows[::-1], rows, points), points[::-1])

    def test_later_images_join_their_group(self):
        rows, group = groups(300)
        points = project(rows[:200], 0)
        later = place(rows[200:], rows[:200], points)
        for number in range(4):
            own = points[group[:200] == number]
            low, high = own.min(axis=0), own.max(axis=0)
            new = later[group[200:] == number]
            assert ((new >= low) & (new <= high)).all(), "a mean of neighbours lies among them"

    def test_beside_one_or_two(self):
        rows = np.eye(3, dtype=np.float32)
        points = np.array([[0, 0], [2, 4]], np.float32)
        np.testing.assert_array_equal(place(rows[2:], rows[:1], points[:1]), points[:1])
        np.testing.assert_allclose(place(rows[2:], rows[:2], points), [[1, 2]])
        assert place(rows[:0], rows, np.zeros((3, 2), np.float32)).shape == (0, 2)
