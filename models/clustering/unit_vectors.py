"""Embeddings as directions: rows of length one, and which of them are the same."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.base import VectorsUnusable

BLOCK = 8192  # rows a step, so that a memory-mapped set is never copied whole by a check
TOLERANCE = 1e-5  # how far a length may be from 1; float32 rounding stays well below


def unit_rows(vectors: ArrayLike) -> NDArray[np.float32]:
    """(N, D) -> (N, D) float32 C-contiguous rows of length 1; the input itself when it already is that.

    Raises VectorsUnusable for a wrong shape, no rows, values that are not finite, or a row of length zero.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or 0 in array.shape:
        raise VectorsUnusable(f"vectors must be (N, D) with at least one row, not {np.shape(array)}")
    norms = row_norms(array)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise VectorsUnusable(f"row {int(np.argmax(~np.isfinite(norms) | (norms == 0)))} is zero or not finite")
    if (np.abs(norms - 1) <= TOLERANCE).all():
        return array
    return (array / norms[:, None]).astype(np.float32) + np.float32(0)  # + 0 turns -0.0 into 0.0


def row_norms(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, D) -> (N,) Euclidean lengths in float64, block by block."""
    norms = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        norms[start : start + BLOCK] = np.linalg.norm(vectors[start : start + BLOCK].astype(np.float64), axis=1)
    return norms


def first_occurrence(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N, D) -> (N,) the lowest row number that holds the same bytes as each row."""
    seen: dict[bytes, int] = {}
    rows = (blake2b(row.tobytes(), digest_size=16).digest() for row in vectors)
    return np.fromiter((seen.setdefault(key, number) for number, key in enumerate(rows)), np.int64, len(vectors))


def own_similarity(
    vectors: NDArray[np.float32], centres: NDArray[np.float32], labels: NDArray[np.integer]
) -> NDArray[np.float32]:
    """(N, D), (K, D), (N,) -> (N,) cosine of each row to the centre of its label, within [-1, 1].

    Row by row instead of by matrix product: the same row always gives the same bits, wherever it stands.
    """
    result = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        result[part] = np.einsum("nd,nd->n", vectors[part], centres[labels[part]])
    return np.clip(result, -1, 1)
