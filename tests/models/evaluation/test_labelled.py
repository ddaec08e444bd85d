"""External measures: by hand, by exhaustion and against scikit-learn."""

from __future__ import annotations

from itertools import permutations
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.neighbors import KNeighborsClassifier

from models.clustering.unit_vectors import unit_rows
from models.evaluation import labelled
from models.evaluation.labelled import neighbour_accuracy, score

small = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(small)
def test_equal_independent_references(pairs):
    clusters, labels = [c for c, _ in pairs], [x for _, x in pairs]
    found = score(clusters, labels)
    matches = (sum(order[c] == x for c, x in pairs) for order in permutations(range(5)))
    purity = sum(max(sum((c, x) == (one, other) for c, x in pairs) for other in range(4)) for one in set(clusters))
    assert found["n"] == len(pairs) and found["k"] == len(set(clusters))
    assert found["accuracy"] == pytest.approx(max(matches) / len(pairs))
    assert found["purity"] == pytest.approx(purity / len(pairs))
    assert found["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(labels, clusters))
    assert found["ari"] == pytest.approx(metrics.adjusted_rand_score(labels, clusters))
    assert found["homogeneity"] == pytest.approx(metrics.homogeneity_score(labels, clusters))
    assert found["completeness"] == pytest.approx(metrics.completeness_score(labels, clusters))


def test_a_perfect_clustering_under_any_names():
    names = [str(uuid4()) for _ in range(3)]
    found = score([names[i] for i in (0, 1, 2, 0)], ["wren", 7, None, "wren"])
    assert found == {"n": 4, "k": 3} | dict.fromkeys(
        ("nmi", "ari", "accuracy", "purity", "homogeneity", "completeness"), 1
    )


def test_outliers_are_never_right_and_form_one_more_group():
    clusters, labels = [0, 0, 1, -1, None], ["a", "a", "b", "b", "c"]
    found = score(clusters, labels)
    assert (found["k"], found["accuracy"], found["purity"]) == (2, 0.6, 0.6)
    assert found["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(labels, [0, 0, 1, -1, -1]))
    assert score([-1, -1], ["a", "a"])["accuracy"] == 0


@pytest.mark.parametrize(("clusters", "labels"), [([], []), ([1], [1, 2])])
def test_nothing_to_compare_is_refused(clusters, labels):
    with pytest.raises(ValueError, match="as many clusters as labels"):
        score(clusters, labels)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_neighbours_equal_scikit_learn_without_the_image_itself(k, monkeypatch):
    monkeypatch.setattr(labelled, "BLOCK", 37)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    vectors, labels = unit_rows(rng.standard_normal((150, 3))), rng.integers(0, 2, 150)
    right = 0
    for one in range(150):
        others = np.arange(150) != one
        model = KNeighborsClassifier(k, metric="cosine").fit(vectors[others], labels[others])
        nearest = model.kneighbors(vectors[one : one + 1])[1][0]
        votes = labels[others][nearest].tolist()
        right += max(votes, key=lambda label: (votes.count(label), -votes.index(label))) == labels[one]
    assert neighbour_accuracy(vectors, labels.tolist(), k) == pytest.approx(right / 150)


def test_copies_do_not_vote_for_themselves():
    vectors = np.ones((20, 3), np.float32)
    assert neighbour_accuracy(vectors, list(range(20)), 3) == 0
    assert neighbour_accuracy(vectors, ["same"] * 20, 3) == 1
    assert neighbour_accuracy(vectors[:2], ["a", "a"], 10) == 1


@pytest.mark.parametrize(("count", "labels", "k"), [(1, ["a"], 1), (3, ["a"], 1), (3, ["a"] * 3, 0)])
def test_neighbours_need_two_images_and_their_labels(count, labels, k):
    with pytest.raises(ValueError, match="two labelled vectors"):
        neighbour_accuracy(np.ones((count, 2), np.float32), labels, k)
