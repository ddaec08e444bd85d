"""The graph of nearest neighbours on which names spread (Zhou, Bousquet, Lal, Weston and Schoelkopf 2004).

Everything here is one linear map, x = (1 - a) y + a S x, for different y: names to begin with, how far names reach,
and embeddings that are averaged with those around them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.labels.space import unit
from models.neighbours.exact import between, nearest

NEIGHBOURS = 5
SHARPNESS = 3  # edges weigh cosine ** 3, as is usual for label spreading (Iscen et al. 2019)
FAR = 0.95  # a, for names: their influence halves after some 14 steps
NEAR = 0.5  # a, for embeddings
FAR_STEPS, NEAR_STEPS = 60, 6  # what is left after them is a ** steps: .05 and .02

Rows = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Neighbours among N rows: `units` (N, P), and `steps`, a sparse symmetric (N, N) matrix with norm 1."""

    units: Rows
    steps: Any

    @classmethod
    def of(cls, rows: Rows, progress: Progress | None = None) -> Self:
        """(N, P) rows, at least two."""
        from scipy import sparse

        units = unit(rows)
        found, cosine = nearest(units, NEIGHBOURS, progress)
        weights, count = _weights(cosine), len(rows)
        ends = np.arange(0, count * found.shape[1] + 1, found.shape[1])
        directed = sparse.csr_matrix((weights.ravel(), found.ravel(), ends), shape=(count, count))
        either = directed.maximum(directed.T)
        scale = sparse.diags(np.asarray(either.sum(axis=1)).ravel() ** -0.5)
        return cls(units, (scale @ either @ scale).tocsr().astype(np.float32))

    def spread(self, sources: Rows) -> Rows:
        """(N, C) weights of names -> (N, C) how much of each arrives where."""
        return self._settled(sources, FAR, FAR_STEPS)

    def reach(self, sources: Rows) -> NDArray[np.float32]:
        """(N,) weights of the named rows -> (N,) the share of all influence on a row that comes from them, 0 to 1.

        What would arrive if every row were named is the measure, so that crowded places don't seem well known.
        """
        both = self.spread(np.column_stack([sources, np.ones_like(sources)]))
        return np.asarray(both[:, 0] / both[:, 1])

    def smoothed(self, rows: Rows) -> Rows:
        """(N, P) -> (N, P), each row averaged with those around it."""
        return self._settled(rows, NEAR, NEAR_STEPS)

    def joined(self, rows: Rows, smoothed: Rows, reach: NDArray[np.float32]) -> tuple[Rows, NDArray[np.float32]]:
        """(B, P) rows that are not in the graph, `smoothed` and `reach` of those that are -> the same for them."""
        found, cosine = between(unit(rows), self.units, min(NEIGHBOURS, len(self.units)))
        weights = _weights(cosine)
        weights /= weights.sum(axis=1, keepdims=True)
        around = np.einsum("bk,bkp->bp", weights, smoothed[found])
        return (1 - NEAR) * rows + NEAR * around, np.einsum("bk,bk->b", weights, reach[found])

    def _settled(self, sources: Rows, share: float, steps: int) -> Rows:
        result = sources
        for _ in range(steps):
            result = share * (self.steps @ result) + (1 - share) * sources
        return result


def _weights(cosine: Rows) -> Rows:
    """Never zero, so that no row is left without a way out."""
    return np.asarray(np.maximum(cosine, 1e-3) ** SHARPNESS, np.float32)
