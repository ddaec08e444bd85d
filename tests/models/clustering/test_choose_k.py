"""k without labels: the modularity is the textbook one, and clear groups are counted right."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from models.clustering.candidates import grid, modularity, principal
from models.clustering.choose_k import NEIGHBOURS, Candidate, _taken, choose_k, suggest
from models.clustering.neighbour_graph import neighbour_graph
from models.clustering.unit_vectors import unit_rows


def blobs(groups: int, each: int, dim: int = 32, spread: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(groups)
    centres = unit_rows(rng.standard_normal((groups, dim)))
    return unit_rows(np.repeat(centres, each, axis=0) + spread * unit_rows(rng.standard_normal((groups * each, dim))))


@pytest.mark.parametrize("groups", [2, 4, 9])
def test_counts_clear_groups(groups):
    assert abs(np.log(choose_k(blobs(groups, 60)) / groups)) < 0.2


def test_is_the_same_for_the_same_seed():
    vectors = blobs(5, 30, spread=1.5)
    assert choose_k(vectors, 3) == choose_k(vectors, 3)


@pytest.mark.parametrize("vectors", [np.eye(1), np.eye(2), np.eye(2)[[0, 0, 1, 1]], np.ones((50, 3))])
def test_too_few_distinct_vectors_are_one_cluster(vectors):
    assert choose_k(vectors.astype(np.float32)) == 1


@pytest.mark.parametrize(("images", "distinct"), [(3, 3), (10, 4), (300, 300), (20_000, 4096), (10**6, 4096)])
def test_candidates_stay_within_their_limits(images, distinct):
    found = grid(images, distinct)
    assert found[0] == 2 and found == sorted(set(found))
    assert found[-1] < distinct and found[-1] <= 256 and found[-1] <= 1.5 * images**0.5 + 0.5


def test_modularity_equals_the_matrix_formula():
    rng = np.random.default_rng(0)
    edges = neighbour_graph(unit_rows(rng.standard_normal((60, 8))), 4)
    labels = rng.integers(0, 5, 60)
    adjacency = np.zeros((60, 60))
    adjacency[edges] = 1
    degree, total = adjacency.sum(axis=1), adjacency.sum()
    expected = ((adjacency - np.outer(degree, degree) / total) * (labels[:, None] == labels)).sum() / total
    assert modularity(edges, labels) == pytest.approx(expected, abs=1e-12)
    assert modularity(edges, np.zeros(60, int)) == pytest.approx(0, abs=1e-12)


def test_neighbour_graph_is_symmetric_without_loops_and_joins_the_nearest():
    rows = unit_rows(np.random.default_rng(1).standard_normal((80, 6)))
    start, end = neighbour_graph(rows, 3)
    pairs = set(zip(start.tolist(), end.tolist(), strict=True))
    assert all(a != b and (b, a) in pairs for a, b in pairs) and len(pairs) == len(start)
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -2)
    nearest = np.argsort(-similarity, axis=1)[:, :3]
    assert pairs == {pair for a, row in enumerate(nearest.tolist()) for b in row for pair in ((a, b), (b, a))}


def test_separated_groups_are_separate_in_the_graph():
    start, end = neighbour_graph(blobs(6, 30, spread=0.2), NEIGHBOURS)
    adjacency = np.zeros((180, 180))
    adjacency[start, end] = 1
    assert connected_components(adjacency)[0] == 6


def test_principal_directions_keep_cosines_of_low_rank_rows():
    rng = np.random.default_rng(2)
    rows = unit_rows(rng.standard_normal((300, 40)) @ rng.standard_normal((40, 400)))
    kept = principal(rows)
    assert kept.shape == (300, 128)
    np.testing.assert_allclose(kept @ kept.T, rows @ rows.T, atol=1e-4)


def test_suggests_from_coarse_to_fine_and_takes_one_of_them():
    vectors = blobs(6, 60, spread=1.3)
    found = suggest(vectors)
    assert 2 <= len(found.suggested) <= 3
    assert [one.k for one in found.suggested] == sorted(one.k for one in found.suggested)
    assert found.k in {one.k for one in found.suggested} and found.k == choose_k(vectors)
    assert all(-1 <= one.silhouette <= 1 and one.davies_bouldin > 0 and 0 < one.balance <= 1 for one in found.curve)
    assert {one.k for one in found.suggested} <= {one.k for one in found.curve}
    assert all(one.stability is None for one in found.curve), "only the suggested are resampled"


@pytest.mark.parametrize(
    ("means", "spread", "taken"),
    [((0.9, 0.8, 0.7), 0.01, 2), ((0.7, 0.8, 0.9), 0.01, 8), ((0.81, 0.8, 0.5), 0.3, 4)],
)
def test_the_most_stable_is_taken_unless_modularity_may_decide(means, spread, taken):
    """The second of three, 4, has the highest modularity."""
    rng = np.random.default_rng(0)
    suggested = [Candidate(k, modularity, None, None, None) for k, modularity in ((2, 0.5), (4, 0.6), (8, 0.55))]
    scores = [mean + spread * rng.permutation(np.linspace(-1, 1, 20)) for mean in means]
    assert _taken(suggested, scores).k == taken


def test_clear_groups_are_stable_and_noise_is_not():
    rng = np.random.default_rng(0)
    clear = next(one for one in suggest(blobs(4, 50)).suggested if one.k == 4)
    noise = suggest(unit_rows(rng.standard_normal((200, 32))))
    assert clear.stability > 0.95
    assert max(one.stability for one in noise.suggested) < 0.5


def test_suggestions_are_json():
    found = json.loads(json.dumps(suggest(blobs(3, 20)).as_json(), allow_nan=False))
    assert found["k"] == 3 and {"k", "modularity", "silhouette", "stability"} <= set(found["suggested"][0])


def test_progress_rises_to_its_total():
    seen: list[tuple[int, int]] = []
    suggest(blobs(3, 20), progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
