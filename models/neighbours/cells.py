"""The nearest rows of every row, where comparing all with all would take too long.

Neighbours are looked for in 128 principal directions, above EXACT rows only in the nearest of about 2 sqrt(N) cells,
and their cosines are then exact. What is very near lies in the same cell, so that hardly any of it is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.neighbours.exact import nearest_of

DIM = 128  # principal directions
SPARE = 2  # times as many are looked up as are wanted: among 128 directions their order is not quite the true one
TRAINING = 16_384  # rows that the directions and the cells are found on
EXACT = 20_000  # rows above which only the nearest cells are searched
PROBES = 8  # cells
BLOCK = 1024  # rows added at a time
RANKED = 128  # rows whose neighbours are compared exactly at a time

Rows = NDArray[np.float32]


class Vectors(Protocol):
    """Rows of (N, D) float32 that may lie on disk: a slice or a list of rows reads them."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Any: ...


class NearVectors:
    """(N, D) unit rows, ready to be asked for neighbours. Memory holds 128 numbers a row."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._project = _projection(vectors)
        self._index = _index(vectors, self._project)

    def search(self, start: int, end: int, wanted: int) -> tuple[NDArray[np.int64], Rows]:
        """Rows `start` to before `end` -> (B, K) their nearest other rows, nearest first, and (B, K) cosines.

        K is `wanted`, or N - 1 if that is less. Where fewer are found the row is -1 and the cosine -1.
        """
        width = min(wanted, len(self._vectors) - 1)
        looked_up = min(SPARE * width + 1, len(self._vectors))
        block = np.ascontiguousarray(self._vectors[start:end], np.float32)
        found = self._index.search(self._project(block), looked_up)[1]
        cosines = np.concatenate(
            [self._cosines(block[at : at + RANKED], found[at : at + RANKED]) for at in range(0, len(block), RANKED)]
        )
        cosines[(found < 0) | (found == np.arange(start, end)[:, None])] = -2
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :width]
        found, cosines = np.take_along_axis(found, order, axis=1), np.take_along_axis(cosines, order, axis=1)
        return np.where(cosines == -2, -1, found), np.maximum(cosines, -1)

    def _cosines(self, rows: Rows, found: NDArray[np.int64]) -> Rows:
        """(b, D), (b, K) -> (b, K)."""
        others = np.asarray(self._vectors[np.maximum(found, 0).ravel()], np.float32).reshape(*found.shape, -1)
        return np.asarray(np.matmul(others, rows[:, :, None])[..., 0])


def near_neighbours(
    vectors: Rows, wanted: int, progress: Callable[[int, int], None] | None = None
) -> tuple[NDArray[np.int64], Rows]:
    """(N, D) unit rows -> (N, K) nearest other rows, nearest first, and (N, K) cosines; K is `wanted`, or N - 1.

    A row whose cells hold too few others is compared with all.
    """
    near = NearVectors(vectors)
    found, cosines = [], []
    for start in range(0, len(vectors), BLOCK):
        end = min(start + BLOCK, len(vectors))
        rows, likeness = near.search(start, end, wanted)
        if len(few := np.flatnonzero((rows < 0).any(axis=1))):
            rows[few], likeness[few] = nearest_of(start + few, vectors, rows.shape[1])
        found.append(rows)
        cosines.append(likeness)
        if progress is not None:
            progress(end, len(vectors))
    return np.concatenate(found), np.concatenate(cosines)


def _projection(vectors: Vectors) -> Callable[[Rows], Rows]:
    """Onto the principal directions, lengths made one again; the rows themselves when they have no more numbers."""
    import faiss

    rows = _sample(vectors)
    if min(rows.shape) <= DIM:
        return lambda block: block
    pca = faiss.PCAMatrix(rows.shape[1], DIM)
    pca.train(rows)

    def project(block: Rows) -> Rows:
        small = pca.apply(block)
        return np.ascontiguousarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-12))

    return project


def _index(vectors: Vectors, project: Callable[[Rows], Rows]) -> Any:
    import faiss

    sample = project(_sample(vectors))
    index = flat = faiss.IndexFlatIP(sample.shape[1])
    if len(vectors) > EXACT:
        index = faiss.IndexIVFFlat(flat, sample.shape[1], int(2 * np.sqrt(len(vectors))), faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1  # no warning on standard error
        index.train(sample)
        index.nprobe = PROBES
    for start in range(0, len(vectors), BLOCK):
        index.add(project(np.ascontiguousarray(vectors[start : start + BLOCK], np.float32)))
    return index


def _sample(vectors: Vectors) -> Rows:
    """Rows spread evenly, so that the same vectors always give the same neighbours."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), TRAINING)).astype(np.int64))
    return np.ascontiguousarray(vectors[rows], np.float32)
