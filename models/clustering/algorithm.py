"""What every clustering algorithm is: one file in this folder with `Params`, one class, and `PLUGIN = TheClass()`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from models.clustering.base import Clustering, KNotSupported, Progress
from models.clustering.choose_k import choose_k
from models.clustering.stages import stages
from models.clustering.unit_vectors import unit_rows
from models.threads import threads_for


class Algorithm(ABC):
    """`summary` is a sentence for a person, which says from how many images on it works on a sample of them."""

    name: ClassVar[str]
    summary: ClassVar[str]
    Params: ClassVar[type[BaseModel]]
    takes_k: ClassVar[bool] = True  # else only "auto"
    finds_k: ClassVar[bool] = False  # "auto" is its own number of clusters, not the one that is suggested

    def cluster(
        self,
        vectors: NDArray[np.float32],
        k: int | Literal["auto"],
        params: Any = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Clustering:
        """Cluster (N, D) embeddings into exactly k non-empty clusters; the same input gives the same bits.

        `progress(done, total)` is called between steps with done rising to total; what it raises ends the run.
        Raises KTooLarge, KNotSupported, VectorsUnusable, ClusteringError.
        """
        if k != "auto" and not self.takes_k:
            raise KNotSupported(self.name)
        suggested = k == "auto" and not self.finds_k
        with threads_for(len(vectors)):
            rows = unit_rows(vectors)
            choosing, working = stages(progress, 1 if suggested else 0, 3)
            choosing(0, 1)
            wanted = choose_k(rows, seed, choosing) if suggested else k
            return self._cluster(rows, None if wanted == "auto" else wanted, params or self.Params(), seed, working)

    @abstractmethod
    def _cluster(self, vectors: NDArray[np.float32], k: Any, params: Any, seed: int, progress: Progress) -> Clustering:
        """(N, D) unit rows, with few of them on one thread. k: an int, or None for the algorithm's own number."""
