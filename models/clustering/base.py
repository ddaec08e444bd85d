"""What a clustering algorithm takes and gives, and how it fails.

ClusteringError (ValueError)      the request cannot be met; `code` is stable
  KTooLarge                       k_too_large: more clusters wanted than there are distinct vectors
  KNotSupported                   k_not_supported: the algorithm finds the number of clusters itself
  VectorsUnusable                 vectors_unusable: not (N, D), not finite, or a vector of length zero
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[int, int], None]
OUTLIER = -1


class ClusteringError(ValueError):
    """The vectors cannot be clustered as asked."""

    code: ClassVar[str] = "clustering_failed"


class KTooLarge(ClusteringError):
    """There are fewer distinct vectors than clusters wanted."""

    code = "k_too_large"

    def __init__(self, k: int, distinct: int) -> None:
        super().__init__(f"{k} clusters were asked for, but there are only {distinct} distinct vectors")
        self.k, self.distinct = k, distinct


class KNotSupported(ClusteringError):
    """The algorithm finds the number of clusters itself."""

    code = "k_not_supported"

    def __init__(self, algorithm: str) -> None:
        super().__init__(f'{algorithm} finds the number of clusters itself: ask for k "auto"')


class VectorsUnusable(ClusteringError):
    """The vectors have no direction: wrong shape, not finite, or of length zero."""

    code = "vectors_unusable"


@dataclass(frozen=True, eq=False)
class Tree:
    """How many small clusters become one, so that one run answers every k.

    leaves  (N,) int32, the smallest cluster of each image, 0 to L - 1
    merges  (L - 1, 4) float64, a linkage matrix as SciPy defines it, its leaves those numbers
    """

    leaves: NDArray[np.int32]
    merges: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clustering:
    """One run's result. Clusters are numbered by descending size, ties by the first image.

    labels     (N,) int32, the cluster of each image; -1 is an outlier
    centres    (K, D) float32, L2-normalised
    distances  (N,) float32, cosine distance (0 to 2) to the image's own centre; an outlier's to the nearest
    tree       of an algorithm that gives every k at once
    sampled    how many images it was found on, when not on all: the others joined it afterwards
    """

    labels: NDArray[np.int32]
    centres: NDArray[np.float32]
    distances: NDArray[np.float32]
    tree: Tree | None = None
    sampled: int | None = None

    @property
    def k(self) -> int:
        return len(self.centres)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(K,) the number of images in each cluster."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.k)
