"""Queries against every vector, or against chosen ones, block by block: nothing is missed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
RowNumbers = NDArray[np.int64]

ROWS = 65_536  # vectors compared at a time
QUERIES = 64  # queries compared at a time: 64 x 65,536 scores are 16 MB


def nearest(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int, only: RowNumbers | None = None
) -> tuple[Scores, RowNumbers]:
    """(N, D) and (Q, D) unit rows -> (Q, min(k, N)) cosines and row numbers, best first, equals by ascending row.

    only: ascending row numbers (M,), the others are not looked at; then (Q, min(k, M)).
    """
    parts = [_few(vectors, queries[start : start + QUERIES], k, only) for start in range(0, len(queries), QUERIES)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def best(scores: Scores, rows: RowNumbers, k: int) -> tuple[Scores, RowNumbers]:
    """(Q, C) scores, (Q, C) rows -> (Q, min(k, C)) of both, best first, equals by ascending row."""
    k = min(k, scores.shape[1])
    if k == 0:
        return scores, rows
    cut = -np.partition(-scores, k - 1, axis=1)[:, k - 1]
    picks = [np.flatnonzero(line >= limit) for line, limit in zip(scores, cut, strict=True)]
    places = [
        pick[np.lexsort((line[pick], -score[pick]))[:k]] for pick, line, score in zip(picks, rows, scores, strict=True)
    ]
    chosen = np.stack(places)
    return np.take_along_axis(scores, chosen, axis=1), np.take_along_axis(rows, chosen, axis=1)


def _few(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int, only: RowNumbers | None
) -> tuple[Scores, RowNumbers]:
    """Keep the best k of the blocks so far while they pass."""
    best_scores, best_rows = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for start in range(0, len(vectors) if only is None else len(only), ROWS):
        part = slice(start, start + ROWS)
        block = vectors[part] if only is None else vectors[only[part]]
        numbers = np.arange(start, start + len(block)) if only is None else only[part]
        # one query: a vector, so that BLAS takes its matrix-vector path
        scores = (block @ queries[0])[None] if len(queries) == 1 else queries @ block.T
        rows = np.broadcast_to(numbers, scores.shape)
        merged = np.concatenate([best_scores, scores], axis=1), np.concatenate([best_rows, rows], axis=1)
        best_scores, best_rows = best(*merged, k)
    return best_scores, best_rows
