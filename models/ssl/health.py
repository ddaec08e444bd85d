"""How a training is doing, without labels: spread, RankMe, retrieval of one view by another, how clusters change.

The spread of L2-normalised features is given in units of 1/sqrt(D): 1 for features that fill the sphere, 0 for a
collapse (Chen and He 2021, https://arxiv.org/abs/2011.10566, section 4.1). Features of a network can start far below 1,
so healthy is what the run began with, at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.clustering.base import ClusteringError
from models.clustering.kmeans import KMeans
from models.clustering.kmeans import Params as KMeansParams
from models.evaluation.features import rankme, retrieval, spread
from models.evaluation.labelled import neighbour_accuracy, score

Record = dict[str, float | None]
COLLAPSED_BELOW = 0.2  # of the healthy spread
COLLAPSED_FOR = 2  # epochs


class Collapsed(RuntimeError):
    """The encoder gives nearly the same vector for every picture."""

    code = "collapsed"


class Diverged(RuntimeError):
    """The loss, or what the encoder gives, is no longer a number."""

    code = "diverged"


@dataclass
class Health:
    """Measures epoch after epoch. Labels are only compared with, for the report; nothing that trains sees them."""

    seed: int
    probe: np.ndarray  # (P,) which training images are looked at
    labels: Sequence[str] | None = None  # of all N
    can_collapse: bool = True  # the method's
    previous: np.ndarray | None = None  # clusters of the epoch before
    own: bool = False  # whether those were the method's
    spreads: list[float] = field(default_factory=list)

    def measure(self, plain: np.ndarray, views: np.ndarray | None, clusters: np.ndarray | None) -> Record:
        """plain (P, D): features of the probed images; views (H, 2, D): of two views of each held-out image.

        clusters (N,): the method's own assignments, if it has some; otherwise the probed images are clustered.
        Raises Diverged.
        """
        if not all(np.isfinite(found).all() for found in (plain, views) if found is not None):
            raise Diverged("The encoder's vectors are no longer numbers: use a lower lr.")
        found = clusters if clusters is not None else self._clusters(plain, round(np.sqrt(len(plain) / 2)))
        before = self.previous if self.own == (clusters is not None) else None  # only like compares with like
        self.previous, self.own = found, clusters is not None
        record: Record = {
            "spread": spread(plain),
            "rankme": rankme(plain),
            "retrieval": retrieval(views[:, 0], views[:, 1]) if views is not None and len(views) > 1 else None,
            "nmi_prev": None if before is None else score(found.tolist(), before.tolist())["nmi"],
        }
        if self.labels is not None:
            record |= self._against_labels(plain, clusters)
        self.spreads.append(float(record["spread"] or 0.0))
        return record

    def check(self) -> None:
        """Raises Collapsed."""
        healthy = min(1.0, self.spreads[0])
        last = self.spreads[1:][-COLLAPSED_FOR:]
        if self.can_collapse and len(last) == COLLAPSED_FOR and max(last) < COLLAPSED_BELOW * healthy:
            raise Collapsed(
                f"The encoder collapsed: the spread of its vectors fell from {self.spreads[0]:.2f} to {last[-1]:.3f}. "
                "Use a lower lr, train fewer blocks, or another method such as neighbours or simclr."
            )

    def _clusters(self, plain: np.ndarray, k: int) -> np.ndarray:
        try:
            labels: np.ndarray = KMeans().cluster(plain, max(2, k), KMeansParams(restarts=3), self.seed).labels
        except ClusteringError:  # the vectors have become nearly one: one cluster, until `check` says so
            return np.zeros(len(plain), np.int32)
        return labels

    def _against_labels(self, plain: np.ndarray, own: np.ndarray | None) -> Record:
        every = list(self.labels or [])
        probed = [every[row] for row in self.probe]
        clusters, truth = (self._clusters(plain, len(set(probed))), probed) if own is None else (own, every)
        try:
            knn = neighbour_accuracy(plain, probed)
        except ClusteringError:  # a vector of length zero has no neighbours
            knn = None
        return {"knn": knn, "nmi_labels": score(clusters.tolist(), truth)["nmi"]}
