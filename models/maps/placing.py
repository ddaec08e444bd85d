"""Images that come later: each is put where its nearest neighbours on the map are, and nothing on the map moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.neighbours.exact import between
from models.umap.fuzzy import distances, memberships

NEIGHBOURS = 3  # more blur the map: a mean of far ones lies in the void between groups
BLOCK = 4096  # images at a time: 4,096 x 20,000 cosines are 330 MB in FAISS' own smaller blocks


def place(
    vectors: NDArray[np.float32], mapped: NDArray[np.float32], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(M, D) unit rows, (A, D) unit rows on the map and their (A, 2) coordinates -> (M, 2).

    The mean of the nearest, weighted as UMAP weighs neighbours; a copy of a mapped image gets exactly its place.
    """
    placed = np.empty((len(vectors), points.shape[1]), np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = np.ascontiguousarray(vectors[start : start + BLOCK])
        found, cosines = between(block, mapped, min(NEIGHBOURS, len(mapped)))
        weights = memberships(distances(cosines))
        mean = (weights[:, :, None] * points[found]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        same = (mapped[found[:, 0]] == block).all(axis=1)
        placed[start : start + BLOCK] = np.where(same[:, None], points[found[:, 0]], mean)
    return placed
