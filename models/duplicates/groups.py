"""Groups of near-duplicates: pictures that pairs connect, directly or over others.

A group is a connected component, so its ends may differ more than any pair in it: of a slow pan each picture shares
most with the next one, and the first nothing with the last. A higher threshold cuts such chains.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Groups(NamedTuple):
    """`members` (M,) row numbers, group after group, the largest group first, ties by the smallest row; a group's rows
    ascend. `starts` (G + 1,) where each begins in `members`, and the end. `best` (M,) which pair joins each member most
    closely."""

    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    best: NDArray[np.int64]


def connected(first: NDArray[np.int64], second: NDArray[np.int64], similarity: NDArray[np.floating]) -> Groups:
    """(P,) pairs of row numbers and how alike they are -> their groups."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([first, second])
    members, compact = np.unique(ends, return_inverse=True)
    graph = coo_array(
        (np.ones(len(first), bool), (compact[: len(first)], compact[len(first) :])), shape=(len(members),) * 2
    )
    label = connected_components(graph, directed=False)[1]
    sizes = np.bincount(label)
    order = np.lexsort((members, _firsts(label)[label], -sizes[label]))
    starts = np.concatenate([np.flatnonzero(np.diff(label[order], prepend=-1)), [len(members)]])
    return Groups(members[order], starts.astype(np.int64), _closest(compact, similarity)[order])


def _firsts(label: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each group's smallest row is, by which groups of equal size are told apart."""
    return np.unique(label, return_index=True)[1]


def _closest(compact: NDArray[np.int64], similarity: NDArray[np.floating]) -> NDArray[np.int64]:
    """(2P,) members by pair end, (P,) -> (M,) the number of the closest pair of each member, ties to the first."""
    twice = np.concatenate([similarity, similarity])
    order = np.lexsort((-twice, compact))
    return order[np.unique(compact[order], return_index=True)[1]] % max(1, len(similarity))
