"""Names that people gave, and which of them are left out to see how well the others foretell them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Given:
    """Which rows have which label: rows (M,) without repeats, codes (M,) from 0 to `labels` - 1, trust (M,).

    Trust is 1 where a person named the image itself, less where its cluster was named.
    """

    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    trust: NDArray[np.float64]
    labels: int

    def only(self, kept: NDArray[np.bool_]) -> Self:
        return type(self)(self.rows[kept], self.codes[kept], self.trust[kept], self.labels)

    def sources(self, count: int) -> NDArray[np.float32]:
        """(count, C) the trust in each label at each row, zero where nothing is given."""
        result = np.zeros((count, self.labels), np.float32)
        result[self.rows, self.codes] = self.trust
        return result

    def folds(self, seed: int) -> NDArray[np.int64]:
        """(M,) the fold in which each name is left out, each label evenly over the folds; -1 never.

        Never: a cluster's name, and the only name of a label.
        """
        rng = np.random.default_rng(seed)
        result = np.full(len(self.rows), -1)
        for code in range(self.labels):
            own = np.flatnonzero((self.codes == code) & (self.trust == 1))
            if np.count_nonzero(self.codes == code) > 1:
                result[rng.permutation(own)] = (np.arange(len(own)) + rng.integers(FOLDS)) % FOLDS
        return result
