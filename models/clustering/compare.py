"""Two clusterings of the same images beside each other: which cluster became which, and how much agrees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER

MOST_CLUSTERS = 5000  # on either side: the match looks at a table of this squared, 200 MB


class TooManyClusters(ValueError):
    """The best one-to-one match of so many clusters would not fit into memory."""

    code = "too_many_clusters"

    def __init__(self, clusters: int) -> None:
        super().__init__(f"at most {MOST_CLUSTERS} clusters can be matched, not {clusters}")


@dataclass(frozen=True)
class Comparison:
    """matches: cluster before -> its best match after (Hungarian); images that did not go that way have changed.

    ari   Rand index adjusted for chance (Hubert and Arabie 1985), -0.5 to 1
    nmi   mutual information over the mean of both entropies, 0 to 1
    """

    images: int
    changed: int
    matches: dict[int, int]
    ari: float
    nmi: float


def compare(counts: Iterable[tuple[int, int, int]]) -> Comparison:
    """(cluster before, cluster after, images) of every pair that has images; -1 is no cluster.

    No cluster is only ever matched with no cluster; for ari and nmi it is one more. Raises TooManyClusters, and
    ValueError when there are no images.
    """
    cells = np.array(sorted(counts), np.int64).reshape(-1, 3)
    if not len(cells):
        raise ValueError("there are no images to compare")
    before, after, images = cells.T
    matches = _matched(before, after, images)
    same = np.array([matches.get(b) == a for b, a in zip(before.tolist(), after.tolist(), strict=True)])
    total = int(images.sum())
    return Comparison(
        images=total,
        changed=int(images[~same].sum()),
        matches={b: a for b, a in matches.items() if b != OUTLIER},
        ari=_adjusted_rand(before, after, images),
        nmi=_mutual_information(before, after, images),
    )


def _matched(before: NDArray[np.int64], after: NDArray[np.int64], images: NDArray[np.int64]) -> dict[int, int]:
    from scipy.optimize import linear_sum_assignment

    inside = (before != OUTLIER) & (after != OUTLIER)
    rows, row = np.unique(before[inside], return_inverse=True)
    columns, column = np.unique(after[inside], return_inverse=True)
    if max(len(rows), len(columns)) > MOST_CLUSTERS:
        raise TooManyClusters(max(len(rows), len(columns)))
    table = np.zeros((len(rows), len(columns)))
    table[row, column] = images[inside]
    pairs = zip(*linear_sum_assignment(table, maximize=True), strict=True)
    shared = {int(rows[r]): int(columns[c]) for r, c in pairs if table[r, c]}
    return {OUTLIER: OUTLIER, **shared}


def _sums(groups: NDArray[np.int64], images: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.bincount(np.unique(groups, return_inverse=True)[1], weights=images)


def _adjusted_rand(before: NDArray[np.int64], after: NDArray[np.int64], images: NDArray[np.int64]) -> float:
    def pairs(sizes: NDArray[np.float64]) -> float:
        return float((sizes * (sizes - 1) / 2).sum())

    together = pairs(images.astype(np.float64))
    rows, columns = pairs(_sums(before, images)), pairs(_sums(after, images))
    everything = pairs(np.array([float(images.sum())]))
    expected = rows * columns / everything if everything else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _mutual_information(before: NDArray[np.int64], after: NDArray[np.int64], images: NDArray[np.int64]) -> float:
    def entropy(sizes: NDArray[np.float64]) -> float:
        share = sizes / sizes.sum()
        return float(-(share * np.log(share)).sum())

    rows, columns = entropy(_sums(before, images)), entropy(_sums(after, images))
    mutual = rows + columns - entropy(images.astype(np.float64))
    return min(1.0, max(0.0, 2 * mutual / (rows + columns))) if rows + columns else 1.0
