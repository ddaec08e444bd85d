"""Give every empty cluster an image, so that k asked for is k given.

Duplicates or very tight groups can leave a centre without any image. It takes the image that lies farthest from its own
centre, among clusters that hold two distinct vectors; only such a cluster can be split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.lloyd import assign
from models.clustering.unit_vectors import own_similarity

RECHOOSE = 16  # rounds in which all images choose again after a centre moved; each is a pass over the vectors


def fill_empty(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int32],
    centres: NDArray[np.float32],
    first: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(N, D), (N,), (K, D), (N,) -> labels and centres with all K clusters in use.

    `first` names the first row equal to each row; there must be K distinct rows. First every empty centre moves and
    all images choose again. What is still empty after RECHOOSE rounds (vectors too close for float32 cosines to tell
    apart) is given its image outright.
    """
    labels, centres = labels.copy(), centres.copy()
    for round_number in range(RECHOOSE + len(centres)):
        empty = np.flatnonzero(np.bincount(labels, minlength=len(centres)) == 0)
        if not len(empty):
            break
        row = _farthest(vectors, labels, centres, first)
        centres[empty[0]] = vectors[row]
        labels[first == first[row]] = empty[0]
        if round_number < RECHOOSE:
            labels = assign(vectors, centres)[0][first]
    return labels, centres


def _farthest(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], centres: NDArray[np.float32], first: NDArray[np.int64]
) -> int:
    """The row farthest from its centre in a cluster of at least two distinct vectors; the lowest row of equals."""
    distinct = np.bincount(labels[first == np.arange(len(first))], minlength=len(centres))
    distance = np.where(distinct[labels] > 1, 1 - own_similarity(vectors, centres, labels), -np.inf)
    return int(np.argmax(distance))
