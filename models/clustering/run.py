"""One run from vectors to clusters: how many there shall be, images of one event as one, then the algorithm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.clustering.algorithm import Algorithm
from models.clustering.base import Clustering, Progress, Tree
from models.clustering.choose_k import Suggestions, suggest
from models.clustering.lloyd import assign
from models.clustering.result import mean_directions
from models.clustering.stages import stages
from models.clustering.unit_vectors import own_similarity, unit_rows

AUTO = "auto"
ENOUGH = 200  # images from which on the algorithm of the highest mean NMI has something to learn from


def best_for(images: int) -> str:
    """The algorithm that "auto" means: see benchmarks/clustering.md."""
    return "temi" if images >= ENOUGH else "kmeans"


@dataclass(frozen=True, eq=False)
class Run:
    """What was found, and for k "auto" what was suggested (None where the algorithm finds the number itself)."""

    found: Clustering
    suggestions: Suggestions | None


def run(
    algorithm: Algorithm,
    vectors: NDArray[np.float32],
    k: int | Literal["auto"],
    params: Any = None,
    seed: int = 0,
    progress: Progress | None = None,
    events: NDArray[np.int32] | None = None,
) -> Run:
    """Cluster (N, D) embeddings. events: (N,) 0 to E - 1, whose images are clustered as one, by their mean direction.

    Raises what the algorithm raises.
    """
    rows = unit_rows(vectors) if events is None else mean_directions(unit_rows(vectors), events)
    choosing, clustering = stages(progress, 1 if k == "auto" and not algorithm.finds_k else 0, 3)
    suggestions = None
    if k == "auto" and not algorithm.finds_k:
        suggestions = suggest(rows, seed, choosing)
        k = suggestions.k
    found = algorithm.cluster(rows, k, params, seed, clustering)
    return Run(found if events is None else _spread(found, unit_rows(vectors), events), suggestions)


def _spread(found: Clustering, vectors: NDArray[np.float32], events: NDArray[np.int32]) -> Clustering:
    """The clusters of events as clusters of their images; numbers stay, distances are each image's own."""
    labels = found.labels[events]
    distances = 1 - own_similarity(vectors, found.centres, labels)
    if (outside := labels < 0).any():
        distances[outside] = 1 - assign(vectors[outside], found.centres)[1]
    tree = found.tree and Tree(found.tree.leaves[events], found.tree.merges)
    return replace(found, labels=labels, distances=distances.astype(np.float32), tree=tree)
