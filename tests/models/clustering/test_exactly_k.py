"""To exactly k: the widest cluster is split, the nearest are merged; and progress over stages is one progress."""

from __future__ import annotations

import numpy as np
import pytest

from models.clustering.exactly_k import merge_until, split_until
from models.clustering.stages import STEPS, stages
from models.clustering.unit_vectors import first_occurrence, unit_rows


def fans() -> tuple[np.ndarray, np.ndarray]:
    """Four tight bundles in a plane, two of them 20 degrees apart, the others far away."""
    angles = np.concatenate([base + np.linspace(0, 2, 10) for base in (0, 20, 120, 240)])
    return np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1).astype(np.float32), np.repeat(
        np.arange(4), 10
    )


def test_the_widest_cluster_is_halved_first():
    vectors, truth = fans()
    together = np.where(truth == 3, 0, truth)  # bundles 240 degrees apart as one
    found = split_until(vectors, together, 4, np.arange(40))
    assert {tuple(np.flatnonzero(found == one)) for one in range(4)} == {
        tuple(np.flatnonzero(truth == one)) for one in range(4)
    }


def test_those_that_lie_nearest_are_merged_first():
    vectors, truth = fans()
    found = merge_until(vectors, truth + 5, 3)
    assert found.tolist() == [0] * 20 + [1] * 10 + [2] * 10
    assert merge_until(vectors, truth, 9).tolist() == truth.tolist()


@pytest.mark.parametrize("k", [1, 3, 12])
def test_copies_are_never_parted(k):
    rows = unit_rows(np.random.default_rng(0).standard_normal((12, 3)))
    vectors = np.repeat(rows, [9, *[1] * 10, 7], axis=0)
    found = split_until(vectors, np.zeros(len(vectors), int), k, first_occurrence(vectors))
    assert found.max() + 1 == k and np.bincount(found).min() > 0
    assert len(set(found[:9].tolist())) == len(set(found[-7:].tolist())) == 1


def test_stages_share_one_progress_in_proportion():
    seen: list[tuple[int, int]] = []
    first, nothing, last = stages(lambda *at: seen.append(at), 1, 0, 3)
    first(0, 4)
    first(4, 4)
    nothing(0, 1)
    nothing(1, 1)
    last(1, 3)
    last(0, 0)  # a stage with nothing to do is over
    assert seen == [(0, STEPS), (250, STEPS), (250, STEPS), (250, STEPS), (500, STEPS), (1000, STEPS)]
    stages(None, 1)[0](1, 1)
