"""Which pairs are worth a closer look: each picture's few nearest by hash and by embedding, in near linear time.

Comparing all with all is out of the question: a fixed camera alone gives a hundred thousand pictures of which any two
are alike. Each picture keeps few neighbours, and groups hold together through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.duplicates.hashes import SYMMETRIES, distance, symmetric

BLOCK = 1024  # pictures whose neighbours are looked up at a time
HASH_NEIGHBOURS = 6  # for each of the eight turned and flipped forms
HASH_PARTS, HASH_PART_BITS, HASH_FLIPS = 4, 16, 2  # finds everything within 4 * (2 + 1) - 1 = 11 bits
EMBEDDING_NEIGHBOURS = 5
DIM = 128  # principal directions in which neighbours are looked for; their cosines are then exact
TRAINING = 16_384  # vectors that the directions and the cells are found on
EXACT = 20_000  # vectors above which only the nearest cells are searched
PROBES = 8

Progress = Callable[[int, int], None]


class Vectors(Protocol):
    """Rows of (N, D) float32 that may lie on disk: a slice or a list of rows reads them."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Any: ...


class Candidates(NamedTuple):
    """Pairs of row numbers, first < second, each once; `how` is a hash's turned form 0 to 7, or -1 for embeddings."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    how: NDArray[np.int8]


def by_hash(hashes: NDArray[np.int64], radius: int, progress: Progress) -> Candidates:
    """(N,) hashes -> pairs at most `radius` (11 or less) bits apart in some form.

    Equal hashes pair up with the first of them only.
    """
    values, firsts, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    equal = np.flatnonzero(firsts[inverse] != np.arange(len(hashes)))
    parts = [np.stack([firsts[inverse[equal]], equal, np.zeros_like(equal)])]
    index = _hash_index(values)
    for start in range(0, len(values), BLOCK):
        progress(start, len(values))
        rows, others, forms = _near_hashes(index, values, start, radius)
        parts.append(np.stack([firsts[rows], firsts[others], forms]))
    return _once(np.concatenate(parts, axis=1))


def by_embedding(vectors: Vectors, lowest: float, progress: Progress) -> Candidates:
    """(N, D) unit rows, which may lie on disk -> pairs of near neighbours with a cosine of at least `lowest`."""
    project = _projection(vectors)
    index = _vector_index(vectors, project)
    parts = [np.empty((3, 0), np.int64)]
    for start in range(0, len(vectors), BLOCK):
        progress(start, len(vectors))
        block = vectors[start : start + BLOCK]
        nearest = index.search(project(block), EMBEDDING_NEIGHBOURS + 1)[1]
        rows = np.repeat(np.arange(len(block)), nearest.shape[1])
        others = nearest.ravel()
        keep = (others >= 0) & (others != rows + start)
        rows, others = rows[keep], others[keep]
        near = np.fromiter((block[r] @ vectors[o] for r, o in zip(rows, others, strict=True)), float) >= lowest
        parts.append(np.stack([rows[near] + start, others[near], np.full(near.sum(), -1)]))
    return _once(np.concatenate(parts, axis=1))


def _hash_index(values: NDArray[np.int64]) -> Any:
    import faiss

    index = faiss.IndexBinaryMultiHash(64, HASH_PARTS, HASH_PART_BITS)
    index.nflip = HASH_FLIPS
    index.add(_bytes(values))
    return index


def _near_hashes(
    index: Any, values: NDArray[np.int64], start: int, radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the block from `start`, their neighbours, and the form in which they are nearest."""
    forms = symmetric(values[start : start + BLOCK])
    nearest = index.search(_bytes(forms.ravel()), HASH_NEIGHBOURS + 1)[1].reshape(len(forms), -1)
    rows = np.repeat(np.arange(len(forms)), nearest.shape[1])
    others = nearest.ravel()
    keep = (others >= 0) & (others != rows + start)
    rows, others = rows[keep], others[keep]
    apart = distance(forms[rows], values[others][:, None])
    near = apart.min(axis=1) <= radius
    return rows[near] + start, others[near], apart.argmin(axis=1)[near]


def _bytes(hashes: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, SYMMETRIES)


def _once(pairs: NDArray[np.int64]) -> Candidates:
    """(3, P) -> each pair once, the smaller row first. Turning the other of the two is the turn's inverse."""
    swapped = pairs[0] > pairs[1]
    first, second = np.where(swapped, pairs[[1, 0]], pairs[:2])
    how = np.where(swapped & (pairs[2] > 0), _INVERSE[pairs[2]], pairs[2])
    _, unique = np.unique(first * (int(second.max(initial=0)) + 1) + second, return_index=True)
    return Candidates(first[unique], second[unique], how[unique].astype(np.int8))


_INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])  # of each form; only the two quarter turns are not their own


def _projection(vectors: Vectors) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Onto the principal directions, lengths made one again."""
    import faiss

    dim = vectors.shape[1]
    rows = _sample(vectors)
    if min(rows.shape) <= DIM:
        return lambda block: block
    pca = faiss.PCAMatrix(dim, DIM)
    pca.train(rows)

    def project(block: NDArray[np.float32]) -> NDArray[np.float32]:
        small = pca.apply(np.ascontiguousarray(block))
        return np.ascontiguousarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-12))

    return project


def _vector_index(vectors: Vectors, project: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Any:
    import faiss

    sample = project(_sample(vectors))
    flat = faiss.IndexFlatIP(sample.shape[1])
    index = flat
    if len(vectors) > EXACT:
        cells = int(2 * np.sqrt(len(vectors)))
        index = faiss.IndexIVFFlat(flat, sample.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1
        index.train(sample)
        index.nprobe = PROBES
    for start in range(0, len(vectors), BLOCK):
        index.add(project(vectors[start : start + BLOCK]))
    return index


def _sample(vectors: Vectors) -> NDArray[np.float32]:
    """Rows spread evenly, so that the same vectors always give the same neighbours."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), TRAINING)).astype(np.int64))
    return np.ascontiguousarray(vectors[rows], np.float32)
