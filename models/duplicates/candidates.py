"""Which pairs are worth a closer look: each picture's few nearest by hash and by embedding, in near linear time.

Comparing all with all is out of the question: a fixed camera alone gives a hundred thousand pictures of which any two
are alike. Each picture keeps few neighbours, and groups hold together through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.duplicates.hashes import SYMMETRIES, distance, symmetric
from models.neighbours.cells import NearVectors, Vectors

BLOCK = 1024  # pictures whose neighbours are looked up at a time
HASH_NEIGHBOURS = 4
HASHES_COMPARED = 100_000  # up to so many each is compared with all, in 90 s on one core; then few are, if they spread
HASH_PARTS, HASH_PART_BITS, HASH_FLIPS = 4, 16, 1  # finds all within 4 * (1 + 1) - 1 = 7 bits, most of those within 11
EMBEDDING_NEIGHBOURS = 5

Progress = Callable[[int, int], None]


class Candidates(NamedTuple):
    """Pairs of row numbers, first < second, each once; `how` is a hash's turned form 0 to 7, or -1 for embeddings."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    how: NDArray[np.int8]


def by_hash(hashes: NDArray[np.int64], radius: int, progress: Progress) -> Candidates:
    """(N,) hashes -> each one's few nearest, at most `radius` bits apart in some form.

    Equal hashes pair up with the first of them only. Above HASHES_COMPARED different ones a multi-index finds all that
    are within 7 bits (Norouzi, Punjani and Fleet 2012, https://arxiv.org/abs/1307.2982), and beyond that most.
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
    near = NearVectors(vectors)
    parts = [np.empty((3, 0), np.int64)]
    for start in range(0, len(vectors), BLOCK):
        progress(start, len(vectors))
        others, cosines = near.search(start, min(start + BLOCK, len(vectors)), EMBEDDING_NEIGHBOURS)
        rows, places = np.nonzero(cosines >= lowest)
        parts.append(np.stack([rows + start, others[rows, places], np.full(len(rows), -1)]))
    return _once(np.concatenate(parts, axis=1))


def _hash_index(values: NDArray[np.int64]) -> Any:
    import faiss

    index = faiss.IndexBinaryFlat(64)
    if len(values) > HASHES_COMPARED:
        index = faiss.IndexBinaryMultiHash(64, HASH_PARTS, HASH_PART_BITS)
        index.nflip = HASH_FLIPS
    index.add(_bytes(values))
    return index


def _near_hashes(
    index: Any, values: NDArray[np.int64], start: int, radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the block from `start`, their neighbours, and the form in which they are nearest."""
    forms = symmetric(values[start : start + BLOCK])
    nearest = index.search(_bytes(forms.ravel()), min(HASH_NEIGHBOURS + 1, len(values)))[1].reshape(len(forms), -1)
    apart = distance(forms[:, :, None], values[nearest][:, None, :]).min(axis=1).astype(np.int64)
    itself = nearest == np.arange(start, start + len(forms))[:, None]
    apart[itself | (nearest < 0) | _repeated(nearest)] = 65
    order = np.argsort(apart, axis=1, kind="stable")[:, :HASH_NEIGHBOURS]
    rows, places = np.nonzero(np.take_along_axis(apart, order, axis=1) <= radius)
    others = nearest[rows, order[rows, places]]
    return rows + start, others, distance(forms[rows], values[others][:, None]).argmin(axis=1)


def _repeated(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(B, K) -> where a number of a row has come before in it: one picture may be near in several forms."""
    order = np.argsort(rows, axis=1, kind="stable")
    again = np.zeros(rows.shape, bool)
    np.put_along_axis(again[:, :], order[:, 1:], np.diff(np.take_along_axis(rows, order, axis=1), axis=1) == 0, axis=1)
    return again


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
