"""How good a clustering looks from the inside, without labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.base import OUTLIER, Clustering
from models.clustering.representatives import cohesion
from models.clustering.unit_vectors import unit_rows

SAMPLE = 5000  # images whose silhouette is computed, against each other
BLOCK = 512  # rows of the similarity matrix, or of vectors, in memory at a time


def metrics(vectors: ArrayLike, clustering: Clustering, seed: int = 0, sample: int = SAMPLE) -> dict[str, float | None]:
    """Internal measures of a clustering of (N, D) embeddings; outliers count in none of them, None is undefined.

    silhouette       -1 to 1, higher is better: mean over at most `sample` images drawn with the seed, cosine distance
                     (Rousseeuw 1987)
    davies_bouldin   from 0, lower is better: Euclidean, on unit vectors and the means of the clusters
                     (Davies and Bouldin 1979)
    separation       0 to 2, higher is better: mean cosine distance from a centre to the nearest other centre
    cohesion         -1 to 1, higher is better: mean over clusters of the mean cosine to the centre
    balance          0 to 1: entropy of the cluster sizes over that of equal sizes
    """
    inside = np.flatnonzero(clustering.labels != OUTLIER)
    rows = unit_rows(vectors)
    labels = clustering.labels
    drawn = np.sort(np.random.default_rng(seed).permutation(inside)[:sample])
    return {
        "silhouette": silhouette(rows[drawn], labels[drawn]) if len(drawn) else None,
        "davies_bouldin": _davies_bouldin(rows, labels, clustering.k),
        "separation": _separation(clustering.centres),
        "cohesion": _finite(np.nanmean(cohesion(clustering))) if len(inside) else None,
        "balance": _balance(clustering.sizes),
    }


def silhouette(rows: NDArray[np.float32], labels: NDArray[np.integer]) -> float | None:
    """(N, D) unit rows, (N,) -> mean silhouette by cosine distance; None unless 2 <= clusters < N."""
    names, codes = np.unique(labels, return_inverse=True)
    if not 2 <= len(names) < len(rows):
        return None
    members = np.eye(len(names), dtype=np.float32)[codes]
    sizes = members.sum(axis=0)
    total = 0.0
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        total += float(_silhouettes(1 - rows[part] @ rows.T, codes[part], members, sizes).sum())
    return total / len(rows)


def _silhouettes(
    distances: NDArray[np.float32],
    own: NDArray[np.int64],
    members: NDArray[np.float32],
    sizes: NDArray[np.float32],
) -> NDArray[np.float64]:
    """(B, N) distances, (B,) own cluster, (N, K) membership, (K,) -> (B,); 0 for an image alone in its cluster."""
    each = np.arange(len(own))
    sums = (distances @ members).astype(np.float64)
    within = sums[each, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[each, own] = np.inf
    nearest = means.min(axis=1)
    scale = np.maximum(np.maximum(within, nearest), np.finfo(np.float32).eps)
    return np.where(sizes[own] > 1, (nearest - within) / scale, 0.0)


def _davies_bouldin(rows: NDArray[np.float32], labels: NDArray[np.int32], k: int) -> float | None:
    used = np.flatnonzero(np.bincount(labels[labels != OUTLIER], minlength=k))
    if len(used) < 2:
        return None
    means = np.stack([_mean(rows, np.flatnonzero(labels == cluster)) for cluster in used])
    spread = np.array([_spread(rows, np.flatnonzero(labels == c), m) for c, m in zip(used, means, strict=True)])
    norms = (means**2).sum(axis=1)
    between = np.sqrt(np.maximum(0, norms[:, None] + norms[None] - 2 * means @ means.T))
    np.fill_diagonal(between, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _finite(((spread[:, None] + spread[None]) / between).max(axis=1).mean())


def _mean(rows: NDArray[np.float32], members: NDArray[np.int64]) -> NDArray[np.float64]:
    parts = (rows[members[s : s + BLOCK]].sum(axis=0, dtype=np.float64) for s in range(0, len(members), BLOCK))
    return np.asarray(sum(parts) / len(members))


def _spread(rows: NDArray[np.float32], members: NDArray[np.int64], mean: NDArray[np.float64]) -> float:
    parts = (np.linalg.norm(rows[members[s : s + BLOCK]] - mean, axis=1).sum() for s in range(0, len(members), BLOCK))
    return float(sum(parts)) / len(members)


def _separation(centres: NDArray[np.float32]) -> float | None:
    if len(centres) < 2:
        return None
    similarity = centres @ centres.T
    np.fill_diagonal(similarity, -np.inf)
    return _finite(np.mean(1 - similarity.max(axis=1)))


def _balance(sizes: NDArray[np.int64]) -> float | None:
    if len(sizes) < 2 or not sizes.sum():
        return None
    share = sizes[sizes > 0] / sizes.sum()
    return float(-(share * np.log(share)).sum() / np.log(len(sizes)))


def _finite(value: float | np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
