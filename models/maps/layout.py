"""UMAP's layout: neighbours attract, others repel, in ever smaller steps.

umap-learn does the same one edge after the other in code that each process compiles anew, for 10 to 20 seconds: longer
than most galleries take to cluster. Here a step moves as many edges at once as leave most points touched once.
Figures of both stand in docs/map.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.maps.fuzzy import Edges

ROUNDS = 200
NEGATIVES = 5  # random points that repel, for each edge that attracts
A, B = 1.5769, 0.8951  # the curve 1 / (1 + a d^2b) that fits min_dist 0.1 and spread 1
STEEPEST = 4.0  # of one pull or push, a coordinate
TOUCHED = 0.5  # edges a step, for each point
NEAR = 1e-3  # keeps the push between two points finite

Points = NDArray[np.float32]


def layout(start: Points, edges: Edges, seed: int, progress: Progress) -> Points:
    """(N, 2) coordinates about 10 wide, and a graph's edges -> (N, 2); the same for one seed."""
    rng = np.random.default_rng(seed)
    points = np.array(start, np.float32)
    heads, tails, weights = edges
    share = weights / weights.max()  # in how many of the rounds an edge attracts
    for number in range(1, ROUNDS + 1):
        active = np.flatnonzero(np.floor(number * share) > np.floor((number - 1) * share))
        rate = np.float32(1 - (number - 1) / ROUNDS)
        for part in np.array_split(rng.permutation(active), max(1, round(len(active) / (TOUCHED * len(points))))):
            _step(points, heads[part], tails[part], rate, rng)
        progress(number, ROUNDS)
    return points


def _step(
    points: Points, heads: NDArray[np.int64], tails: NDArray[np.int64], rate: np.float32, rng: np.random.Generator
) -> None:
    """Move the points of some edges, in place."""
    pull = _pull(points[heads] - points[tails])
    others = rng.integers(0, len(points), (len(heads), NEGATIVES))
    push = _push(points[heads][:, None] - points[others]).sum(axis=1)
    for axis in range(points.shape[1]):
        moved = np.bincount(heads, push[:, axis] - pull[:, axis], len(points))
        moved += np.bincount(tails, pull[:, axis], len(points))
        points[:, axis] += rate * moved.astype(np.float32)


def _pull(difference: Points) -> Points:
    """(E, 2) -> the slope of the attraction along it."""
    squared = np.maximum((difference**2).sum(axis=-1, keepdims=True), np.float32(1e-12))
    power = squared**B
    return np.clip(2 * A * B * power / squared / (1 + A * power) * difference, -STEEPEST, STEEPEST)


def _push(difference: Points) -> Points:
    """(E, R, 2) -> the slope of the repulsion along it."""
    squared = (difference**2).sum(axis=-1, keepdims=True)
    return np.clip(2 * B / ((NEAR + squared) * (1 + A * squared**B)) * difference, -STEEPEST, STEEPEST)
