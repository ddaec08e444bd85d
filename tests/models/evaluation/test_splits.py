"""Who is learnt from and who is tested on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.splits import deal, take, usable


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6), folds=st.integers(2, 7), seed=st.integers(0, 99))
def test_folds_are_stratified_and_even(sizes, folds, seed):
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    parts = deal(classes, folds, rng)
    for code, size in enumerate(sizes):
        counts = np.bincount(parts[classes == code], minlength=folds)
        assert counts.sum() == size and np.ptp(counts) <= 1
    assert np.ptp(np.bincount(parts, minlength=folds)) <= 1


def test_every_class_gets_a_label_and_no_more_than_its_share():
    classes = np.repeat([0, 1, 2], [200, 40, 3])
    taken = take(np.random.default_rng(0).permutation(243), classes, 0.05)
    assert np.bincount(classes[taken]).tolist() == [10, 2, 1] and len(set(taken.tolist())) == 13


def test_small_fractions_are_part_of_large_ones():
    classes = np.repeat([0, 1], [70, 30])
    train = np.random.default_rng(0).permutation(100)[:80]
    one, ten, all_ = (set(take(train, classes, fraction).tolist()) for fraction in (0.01, 0.1, 1.0))
    assert one < ten < all_ == set(train.tolist())


def test_large_sets_are_sampled_by_class():
    labels = ["common"] * 800 + ["rare"] * 196 + ["pair"] * 2 + ["alone"]
    chosen, classes = usable(labels, 100, np.random.default_rng(0))
    assert np.bincount(classes).tolist() == pytest.approx([79, 19, 2], abs=1)
    assert chosen.tolist() == sorted(set(chosen.tolist())) and len(chosen) == 100
    assert labels.index("alone") not in chosen
    assert chosen.tolist() == usable(labels, 100, np.random.default_rng(0))[0].tolist()
    assert chosen.tolist() != usable(labels, 100, np.random.default_rng(1))[0].tolist()


def test_small_sets_are_whole_and_keep_their_order():
    chosen, classes = usable(["b", "a", "b", "c", "a"], 100, np.random.default_rng(0))
    assert chosen.tolist() == [0, 1, 2, 4] and classes.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("labels", [[], ["a"], ["a"] * 5, ["a", "a", "b"], ["a", "b", "c"]])
def test_two_classes_of_two_are_the_least(labels):
    with pytest.raises(ValueError, match="two classes"):
        usable(labels, 100, np.random.default_rng(0))
