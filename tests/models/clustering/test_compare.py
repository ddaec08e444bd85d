"""Comparisons against scikit-learn, and the match against what a person sees."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from models.clustering import compare as module
from models.clustering.compare import Comparison, TooManyClusters, compare


def of(before: list[int], after: list[int]) -> Comparison:
    return compare((b, a, n) for (b, a), n in Counter(zip(before, after, strict=True)).items())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 5)), min_size=1, max_size=40))
def test_the_same_as_scikit_learn(images: list[tuple[int, int]]) -> None:
    before, after = zip(*images, strict=True)
    found = of(list(before), list(after))
    assert found.ari == pytest.approx(adjusted_rand_score(before, after))
    assert found.nmi == pytest.approx(normalized_mutual_info_score(before, after), abs=1e-9)
    assert len(set(found.matches.values())) == len(found.matches), "one to one"
    assert found.images == len(images)
    assert found.changed == sum(b != a if b < 0 else found.matches.get(b) != a for b, a in images)


def test_other_numbers_are_no_change() -> None:
    found = of([0, 0, 1, 1, 2, -1], [2, 2, 0, 0, 1, -1])
    assert (found.changed, found.matches, found.ari) == (0, {0: 2, 1: 0, 2: 1}, 1.0)


def test_a_split_changes_the_smaller_part() -> None:
    found = of([0] * 10 + [1] * 4, [0] * 7 + [2] * 3 + [1] * 3 + [-1])
    assert (found.changed, found.matches) == (4, {0: 0, 1: 1})


def test_what_can_not_be_compared(monkeypatch: Any) -> None:
    with pytest.raises(ValueError, match="no images"):
        compare([])
    monkeypatch.setattr(module, "MOST_CLUSTERS", 2)
    with pytest.raises(TooManyClusters):
        of(list(np.arange(3)), [0, 0, 0])
