"""How healthy a set of embeddings is, without labels: collapsed or not, of what rank, and the same for both views."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLOCK = 4096  # rows a step
Matrix = NDArray[np.float64]


def spread(features: ArrayLike) -> float:
    """Mean over dimensions of the standard deviation of the L2-normalised rows of (N, D), times sqrt(D).

    About 1 for directions drawn at random, 0 for a network that gives every image the same (Chen and He 2021, figure 2;
    https://arxiv.org/abs/2011.10566). Features that are never negative, such as those after a ReLU, lie below 1 in
    health too. A row of zeros stays one. Raises ValueError as `rankme` does.
    """
    rows = _directions(features)
    return float(rows.std(axis=0).mean() * np.sqrt(rows.shape[1]))


def rankme(features: ArrayLike) -> float:
    """How many directions (N, D) features fill: exp of the entropy of their singular values over the values' sum.

    1 to min(N, D); 0 when all are zero. Features count as they are, neither centred nor normalised. Only comparable
    between encoders of one architecture and method (Garrido et al. 2023; https://arxiv.org/abs/2210.02885).
    Raises ValueError for a shape that is not (N, D), for no rows, and for values that are not finite.
    """
    rows = _checked(features)
    gram = rows.T @ rows if rows.shape[0] > rows.shape[1] else rows @ rows.T
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    if not values.any():
        return 0.0
    share = values[values > 0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def retrieval(first: ArrayLike, second: ArrayLike) -> float:
    """Recall@1 between two views of the same N images, (N, D) each: how often a view's nearest is its own other view.

    By cosine among all N of the other side, the mean of both directions. Of t views equally near the right one counts
    1/t, so that a collapsed network scores 1/N. Raises ValueError as `rankme` does, and for shapes that differ.
    """
    one, other = _directions(first), _directions(second)
    if one.shape != other.shape:
        raise ValueError(f"two views of the same images have the same shape, not {one.shape} and {other.shape}")
    return (_recall(one, other) + _recall(other, one)) / 2


def _recall(queries: Matrix, rows: Matrix) -> float:
    found = 0.0
    for start in range(0, len(queries), BLOCK):
        similarity = queries[start : start + BLOCK] @ rows.T
        each = np.arange(len(similarity))
        nearest = similarity.max(axis=1)
        tied = (similarity == nearest[:, None]).sum(axis=1)
        found += float(((similarity[each, start + each] == nearest) / tied).sum())
    return found / len(queries)


def _directions(features: ArrayLike) -> Matrix:
    """(N, D) -> (N, D) rows of length 1; unlike `unit_rows` this takes rows of zeros, which a collapse can give."""
    rows = _checked(features)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float64).tiny))


def _checked(features: ArrayLike) -> Matrix:
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"features must be (N, D) with at least one row, not {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("features are not finite: the training has diverged")
    return rows
