"""Whether changed views of a picture lead to where the picture lies: among the neighbours it has in another space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEIGHBOURS = 10


def nearest(queries: np.ndarray, rows: np.ndarray, own: Sequence[int] | None = None) -> np.ndarray:
    """(H, D) among (N, D), all of length one -> (H, K) the nearest rows by cosine, in no order; K is 10, or all.

    own  which row shows the same picture as each query, and so does not count; None: none does
    """
    similar = queries @ rows.T
    count = min(NEIGHBOURS, len(rows) - (own is not None))
    if own is not None:
        similar[np.arange(len(queries)), own] = -np.inf
    return np.argpartition(-similar, count - 1, axis=1)[:, :count]


def found(near: np.ndarray, views: np.ndarray, rows: np.ndarray, own: Sequence[int] | None = None) -> np.ndarray:
    """(H,) the share of each picture's known neighbours (H, K) among the K that its views (H, V, D) find in (N, D)."""
    shares = [
        [len(np.intersect1d(seen, known)) / len(known) for seen, known in zip(each, near, strict=True)]
        for each in (nearest(views[:, view], rows, own) for view in range(views.shape[1]))
    ]
    return np.mean(shares, axis=0)
