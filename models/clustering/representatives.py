"""The images that stand for a cluster, and how tight it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER, Clustering
from models.clustering.unit_vectors import unit_rows

NEAR_DUPLICATE = 0.92  # cosine; on efficientnet-lite0 fewer than 1 in 100 birds has a neighbour as close as that
BLOCK = 512  # candidates read at a time; nearly always the first block is enough
PER_CLUSTER = 12
Name = TypeVar("Name")


def representatives(
    vectors: NDArray[np.float32],
    clustering: Clustering,
    per_cluster: int = PER_CLUSTER,
    near_duplicate: float = NEAR_DUPLICATE,
) -> list[NDArray[np.int64]]:
    """(N, D) -> for each cluster up to `per_cluster` row numbers, the most typical (nearest its centre) first.

    Bursts and copies would all sit beside each other near a centre, so a candidate whose cosine to one already chosen
    is above `near_duplicate` waits; the waiting ones come after all others, nearest first, when there is room.
    """
    if per_cluster < 1:
        raise ValueError(f"per_cluster must be at least 1, not {per_cluster}")
    by_typicality = np.lexsort((clustering.distances, clustering.labels))
    ends = np.cumsum(clustering.sizes)
    ordered = by_typicality[len(by_typicality) - ends[-1] :]  # outliers sort first; they stand for nothing
    return [
        np.array(spread(_one_by_one(vectors, ordered[end - size : end]), per_cluster, near_duplicate), np.int64)
        for end, size in zip(ends, clustering.sizes, strict=True)
    ]


def cohesion(clustering: Clustering) -> NDArray[np.float64]:
    """(K,) mean cosine similarity of a cluster's images to its centre; 1 is perfectly tight."""
    inside = clustering.labels != OUTLIER
    total = np.bincount(
        clustering.labels[inside], weights=1 - clustering.distances[inside].astype(np.float64), minlength=clustering.k
    )
    sizes = clustering.sizes
    return np.divide(total, sizes, out=np.full(clustering.k, np.nan), where=sizes > 0)


def spread(
    candidates: Iterable[tuple[Name, NDArray[np.float32]]],
    wanted: int = PER_CLUSTER,
    near_duplicate: float = NEAR_DUPLICATE,
) -> list[Name]:
    """Of (name, unit vector (D,)), most typical first, the chosen names, then those that waited, `wanted` at most.

    Reads no more candidates than it needs.
    """
    chosen: list[Name] = []
    waiting: list[Name] = []
    kept = np.empty((wanted, 0), np.float32)
    for name, vector in candidates:
        if chosen and float((kept[: len(chosen)] @ vector).max()) > near_duplicate:
            waiting.append(name)
            continue
        kept = kept if kept.shape[1] else np.empty((wanted, len(vector)), np.float32)
        kept[len(chosen)] = vector
        chosen.append(name)
        if len(chosen) == wanted:
            break
    return (chosen + waiting)[:wanted]


def _one_by_one(
    vectors: NDArray[np.float32], candidates: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(candidates), BLOCK):
        block = candidates[start : start + BLOCK]
        yield from zip(block.tolist(), unit_rows(vectors[block]), strict=True)
