"""Cuts of a tree: exactly k at every k, nested, and what is shown of them equals what the vectors say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster

from models.clustering.base import ClusteringError, Tree
from models.clustering.representatives import cohesion, representatives
from models.clustering.result import from_labels
from models.clustering.tree import cut, leaf_clustering, regroup
from models.clustering.unit_vectors import unit_rows
from models.clustering.ward import ward


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def made() -> tuple[np.ndarray, Tree]:
    """300 vectors in 12 leaves of different sizes, numbered by their first image."""
    rng = np.random.default_rng(0)
    leaves = np.concatenate([np.arange(12), rng.choice(12, 288, p=np.arange(1, 13) / 78)]).astype(np.int32)
    vectors = unit_rows(rng.standard_normal((12, 8))[leaves] + 0.4 * rng.standard_normal((300, 8)))
    means = np.stack([vectors[leaves == leaf].mean(axis=0) for leaf in range(12)])
    return vectors, Tree(leaves, ward(means, np.bincount(leaves)))


def test_cuts_are_scipys_and_each_is_inside_the_one_above():
    merges = ward(np.random.default_rng(1).standard_normal((30, 3)))
    coarser = np.zeros(30, int)
    for k in range(1, 31):
        labels = cut(merges, 30, k)
        assert same_partition(labels, fcluster(merges, k, "maxclust"))
        first = np.unique(labels, return_index=True)[1]
        assert labels.dtype == np.int32 and len(first) == k and (np.diff(first) > 0).all()
        assert len(set(zip(labels.tolist(), coarser.tolist(), strict=True))) == k
        coarser = labels


def test_equal_heights_are_cut_to_exactly_k():
    merges = ward(np.ones((9, 2)))
    assert [cut(merges, 9, k).max() + 1 for k in range(1, 10)] == list(range(1, 10))


@pytest.mark.parametrize("k", [0, 6])
def test_a_cut_outside_the_tree_is_refused(k):
    with pytest.raises(ClusteringError, match="1 to 5"):
        cut(ward(np.eye(5)), 5, k)


def test_merges_of_another_tree_are_refused():
    with pytest.raises(ValueError, match="4 merges"):
        cut(ward(np.eye(4)), 5, 2)


@pytest.mark.parametrize("k", [1, 3, 7, 12])
def test_what_a_cut_shows_is_what_the_vectors_say(k):
    vectors, tree = made()
    leaves = leaf_clustering(vectors, tree)
    stand = [rows.tolist() for rows in representatives(vectors, leaves, 4)]
    shown = regroup(tree.merges, k, leaves.sizes, cohesion(leaves), stand, 6)
    whole = from_labels(vectors, shown.labels[tree.leaves])
    assert shown.labels[tree.leaves].tolist() == whole.labels.tolist()  # numbered alike
    assert shown.sizes.tolist() == whole.sizes.tolist()
    np.testing.assert_allclose(shown.cohesion, cohesion(whole), atol=1e-5)
    for number, rows in enumerate(shown.representatives):
        assert set(rows) <= set(np.flatnonzero(whole.labels == number).tolist())
        assert (
            len(rows)
            == len(set(rows))
            == min(6, sum(len(stand[leaf]) for leaf in np.flatnonzero(shown.labels == number)))
        )


def test_representatives_take_turns_from_the_biggest_leaf_on():
    merges = ward(np.array([[0.0], [1.0], [1.1]]))
    shown = regroup(merges, 1, [2, 9, 3], [1, 1, 1], [[10], [20, 21], [30, 31, 32]], 5)
    assert shown.representatives == [[20, 30, 10, 21, 31]] and shown.sizes.tolist() == [14]
