"""A map of all images: UMAP on up to 200,000 different ones; of more on a sample, and the others beside those."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.stages import stages
from models.clustering.unit_vectors import first_occurrence
from models.maps.placing import BLOCK, place
from models.maps.start import principal_plane
from models.neighbours.cells import near_neighbours
from models.umap.fuzzy import fuzzy_graph
from models.umap.layout import layout, spread

WHOLE = 200_000  # different images laid out themselves
SAMPLE = 20_000  # of more: what the others are placed beside, a few minutes for a million
NEIGHBOURS = 15
SMALLEST = 16  # with fewer there is no local structure to lay out, and the plane of their differences shows them best


def project(vectors: NDArray[np.float32], seed: int = 0, progress: Progress | None = None) -> NDArray[np.float32]:
    """(N, D) unit rows, also memory-mapped ones -> (N, 2); equal rows get equal places, the same seed the same map."""
    first = first_occurrence(vectors)
    distinct = np.flatnonzero(first == np.arange(len(first)))
    rows = distinct
    if len(distinct) > WHOLE:
        rows = np.sort(np.random.default_rng(seed).choice(distinct, SAMPLE, replace=False))
    laying, placing = stages(progress, 3, 1)
    sample = np.ascontiguousarray(vectors[rows])
    points = np.zeros((len(vectors), 2), np.float32)
    points[rows] = _laid_out(sample, seed, laying)
    others = np.setdiff1d(distinct, rows, assume_unique=True)
    for start in range(0, len(others), BLOCK):
        part = others[start : start + BLOCK]
        points[part] = place(vectors[part], sample, points[rows])
        placing(start + len(part), len(others))
    placing(1, 1)
    return points[first]


def _laid_out(rows: NDArray[np.float32], seed: int, progress: Progress) -> NDArray[np.float32]:
    """(M, D) different rows -> (M, 2) about 0."""
    plane = principal_plane(rows, seed)
    if len(rows) < SMALLEST:
        return plane
    searching, laying = stages(progress, 1, 2)
    graph = fuzzy_graph(*near_neighbours(rows, NEIGHBOURS - 1, searching))
    points = layout(spread(plane, seed), graph, seed, laying)
    return np.asarray(points - points.mean(axis=0), np.float32)
