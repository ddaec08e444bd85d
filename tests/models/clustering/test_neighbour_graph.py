"""The mutual graph of neighbours, the vote that carries labels out of a sample, and communities of a graph."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from models.clustering.choose_k import modularity
from models.clustering.communities import communities, refined
from models.clustering.neighbour_graph import mutual_graph
from models.clustering.propagate import TEMPERATURE, propagate
from models.clustering.sampled import draw
from models.clustering.unit_vectors import unit_rows
from models.neighbours.exact import nearest


def cloud(count: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).standard_normal((count, dim)))


def circles(groups: int, each: int, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rows, truth = cloud(groups, 24, groups), np.repeat(np.arange(groups), each)
    return unit_rows(rows[truth] + spread * cloud(len(truth), 24, 1)), truth


def test_mutual_graph_joins_those_that_name_each_other_and_leaves_none_alone():
    found, _ = nearest(cloud(70), 4)
    start, end = mutual_graph(found)
    pairs = set(zip(start.tolist(), end.tolist(), strict=True))
    lists = [set(row) for row in found.tolist()]
    expected = {(a, b) for a in range(70) for b in lists[a] if a in lists[b]}
    closest = {pair for a in range(70) for pair in ((a, int(found[a, 0])), (int(found[a, 0]), a))}
    assert pairs == expected | closest and len(pairs) == len(start) and set(start.tolist()) == set(range(70))


def test_the_graph_of_one_image_has_no_edge():
    assert [len(side) for side in mutual_graph(nearest(cloud(1), 3)[0])] == [0, 0]


def test_the_vote_is_weighted_by_likeness():
    angles = np.radians([0, 40, 42, 44, 3])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    voters, labels = np.arange(4), np.array([7, 8, 8, 8])
    weights = np.exp(np.cos(angles[:4] - angles[4]) / TEMPERATURE)
    assert weights[0] > weights[1:].sum()
    assert propagate(vectors, voters, labels, np.array([4])).tolist() == [7]
    assert propagate(vectors, voters, np.array([-1, 8, 8, 8]), np.array([4])).tolist() == [-1]


def test_everyone_gets_a_label_from_a_sample_and_copies_the_same():
    vectors, truth = circles(4, 100, 0.3)
    vectors, truth = np.concatenate([vectors, vectors[:80]]), np.concatenate([truth, truth[:80]])
    sample = draw(vectors, 90, seed=2)
    assert sample.size == len(sample.rows) == 90 and sample.rows.max() < 400
    np.testing.assert_array_equal(sample.spread(truth[sample.rows]), truth)
    whole = draw(vectors, 400, seed=2)
    assert whole.size is None and whole.drawn.shape == (400, 24)
    distinct = vectors[:300]
    assert draw(distinct, 300, seed=2).drawn is distinct  # not copied


def test_communities_are_at_least_as_modular_as_the_truth_and_hang_together():
    vectors, truth = circles(5, 40, 0.9)
    edges = mutual_graph(nearest(vectors, 10)[0])
    found = communities(edges, np.ones(len(edges[0]), np.float32), 200, 1.0)
    assert modularity(edges, found) >= modularity(edges, truth) > 0.5
    graph = csr_matrix((np.ones(len(edges[0])), edges), shape=(200, 200))
    assert all(connected_components(graph[found == one][:, found == one])[0] == 1 for one in set(found.tolist()))
    again = communities(edges, np.ones(len(edges[0]), np.float32), 200, 1.0)
    assert found.tolist() == again.tolist()


def test_a_higher_resolution_gives_more_communities():
    vectors, _ = circles(5, 40, 0.9)
    edges = mutual_graph(nearest(vectors, 10)[0])
    counts = [communities(edges, np.ones(len(edges[0]), np.float32), 200, r).max() + 1 for r in (0.01, 1, 10, 1e4)]
    assert counts == sorted(counts) and counts[0] < counts[1] < counts[2] < counts[3] == 200


def test_refinement_parts_a_community_that_does_not_hang_together():
    """Two triangles without an edge between them, called one community, become two parts."""
    graph = csr_matrix(np.kron(np.eye(2), np.ones((3, 3)) - np.eye(3)) / 12)
    mass = np.full(6, 1 / 6)
    parts = refined(np.zeros(6, int), graph, mass, 0.5)
    assert len(set(parts[:3].tolist())) == 1 == len(set(parts[3:].tolist())) and parts[0] != parts[3]
    assert len(set(refined(np.arange(6), graph, mass, 0.5).tolist())) == 6  # never beyond its own community
