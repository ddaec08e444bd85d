"""Work on a sample of different images, then let the others join: what cannot look at a million at once does this.

Copies count once: the sample is drawn from the distinct vectors, and equal vectors get the same label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.propagate import propagate
from models.clustering.unit_vectors import first_occurrence


@dataclass(frozen=True, eq=False)
class Sample:
    """Which rows of `vectors` an algorithm looks at.

    vectors   (N, D) unit rows
    first     (N,) the first row equal to each row
    distinct  (U,) rows, one for each different vector, ascending
    rows      (M,) the rows of those that were drawn, ascending
    """

    vectors: NDArray[np.float32]
    first: NDArray[np.int64]
    distinct: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def drawn(self) -> NDArray[np.float32]:
        """(M, D) the vectors of the sample; no copy when it is everything."""
        return self.vectors if len(self.rows) == len(self.vectors) else self.vectors[self.rows]

    @property
    def size(self) -> int | None:
        """How many images were looked at, or None when all different ones were."""
        return len(self.rows) if len(self.rows) < len(self.distinct) else None

    def spread(self, labels: NDArray[np.integer], progress: Progress | None = None) -> NDArray[np.int32]:
        """(M,) labels of the sample -> (N,) labels of all images."""
        everyone = np.empty(len(self.vectors), np.int32)
        everyone[self.rows] = labels
        others = np.setdiff1d(self.distinct, self.rows, assume_unique=True)
        everyone[others] = propagate(self.vectors, self.rows, labels, others, progress)
        return everyone[self.first]


def draw(vectors: NDArray[np.float32], size: int, seed: int) -> Sample:
    """(N, D) unit rows -> a sample of at most `size` distinct ones, drawn with the seed."""
    first = first_occurrence(vectors)
    distinct = np.flatnonzero(first == np.arange(len(first)))
    rows = distinct
    if len(distinct) > size:
        rows = np.sort(np.random.default_rng(seed).choice(distinct, size, replace=False))
    return Sample(vectors, first, distinct, rows)
