"""Give the images outside a sample the label that their nearest sampled neighbours vote for.

The votes are weighted by exp(cosine / .07), the weighted k-nearest-neighbour classifier of Wu et al. 2018
(https://arxiv.org/abs/1805.01978).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.neighbours.exact import BLOCK, between

VOTERS = 15
TEMPERATURE = 0.07


def propagate(
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    labels: NDArray[np.integer],
    others: NDArray[np.int64],
    progress: Progress | None = None,
) -> NDArray[np.int32]:
    """(N, D) unit rows, (M,) rows with (M,) labels, (Q,) rows without -> (Q,) labels.

    -1, no cluster, is voted for like any other; of labels with the same weight the nearest neighbour's wins.
    """
    result = np.empty(len(others), np.int32)
    known = vectors[rows] if len(others) else vectors[:0]
    for start in range(0, len(others), BLOCK):
        part = slice(start, start + BLOCK)
        found, cosine = between(vectors[others[part]], known, min(VOTERS, len(rows)))
        result[part] = _elected(labels[found], np.exp((cosine - cosine[:, :1]) / TEMPERATURE))
        if progress is not None:
            progress(min(start + BLOCK, len(others)), len(others))
    if progress is not None and not len(others):
        progress(0, 0)
    return result


def _elected(votes: NDArray[np.integer], weights: NDArray[np.float32]) -> NDArray[np.integer]:
    """(Q, V) labels, nearest first, and their weights -> (Q,) the label of most weight."""
    same = votes[:, :, None] == votes[:, None, :]
    winner = np.where(same, weights[:, None, :], 0).sum(axis=2).argmax(axis=1)
    return np.take_along_axis(votes, winner[:, None], axis=1)[:, 0]
