"""How many lists a query must visit: measured on images of the set against a comparison with all."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.index.scan import RowNumbers, nearest

QUERIES = 200
NEIGHBOURS = 10
EQUAL = 1e-6  # cosines closer than this are one: which of two copies is found does not matter


class Measured(NamedTuple):
    """probes: lists visited. recall: mean share of the ten nearest that were found, over so many queries."""

    probes: int
    recall: float
    queries: int


class Searched(Protocol):
    vectors: NDArray[np.float32]

    def search(self, queries: NDArray[np.float32], k: int, probes: int) -> tuple[NDArray[np.float32], RowNumbers]: ...


def least_probes(index: Searched, lists: int, wanted: float, seed: int) -> Measured:
    """The least power of two (or all lists) whose mean recall is at least `wanted` by two standard errors.

    Each query is an image of the set, which does not count as its own neighbour.
    """
    count = len(index.vectors)
    k = min(NEIGHBOURS, count - 1)
    if k == 0:
        return Measured(1, 1.0, 0)
    rows = np.sort(np.random.default_rng(seed).choice(count, min(QUERIES, count), replace=False))
    queries = np.ascontiguousarray(index.vectors[rows])
    limits = _others(*nearest(index.vectors, queries, k + 1), rows)[:, k - 1]
    probes = 1
    while True:
        scores = _others(*index.search(queries, k + 1, probes), rows)
        shares = (scores[:, :k] >= limits[:, None] - EQUAL).mean(axis=1)
        doubt = 2 * shares.std() / np.sqrt(len(shares))
        if shares.mean() - doubt >= wanted or probes >= lists:
            return Measured(probes, round(float(shares.mean()), 4), len(rows))
        probes = min(2 * probes, lists)


def _others(scores: NDArray[np.float32], found: RowNumbers, rows: RowNumbers) -> NDArray[np.float32]:
    """(Q, K) scores and rows -> (Q, K) the scores of all but the query itself, best first, then -2."""
    return -np.sort(-np.where(found == rows[:, None], np.float32(-2), scores), axis=1)
