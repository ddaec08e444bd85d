"""Graphs that join images to their nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.neighbours.exact import between

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]


def neighbour_graph(rows: NDArray[np.float32], neighbours: int) -> Edges:
    """(N, D) unit rows -> both ends of every edge, in both directions: i and j joined when either is near the other."""
    count, width = len(rows), min(neighbours + 1, len(rows))
    found, _ = between(rows, rows, width)
    start, end = np.repeat(np.arange(count), width), found.ravel()
    start, end = start[start != end], end[start != end]
    pairs = np.unique(np.concatenate([start * count + end, end * count + start]))
    return pairs // count, pairs % count


def mutual_graph(found: NDArray[np.int64]) -> Edges:
    """(N, K) neighbours, nearest first -> both ends of every edge, in both directions, of the mutual-kNN graph.

    i and j are joined when each is among the other's neighbours; every row also to its very nearest, so that none is
    alone (Maier, Hein and von Luxburg 2009 on mutual graphs, https://arxiv.org/abs/0912.3408).
    """
    count, width = found.shape
    start, end = np.repeat(np.arange(count), width), found.ravel()
    forth, back = start * count + end, end * count + start
    mutual = np.isin(forth, back)
    closest = np.zeros((count, width), bool)
    closest[:, :1] = True
    kept = np.concatenate([forth[mutual], forth[closest.ravel()], back[closest.ravel()]])
    pairs = np.unique(kept)
    return pairs // max(count, 1), pairs % max(count, 1)
