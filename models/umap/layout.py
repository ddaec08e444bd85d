"""UMAP's layout: neighbours attract, others repel, in ever smaller steps.

umap-learn does the same one edge after the other in code that each process compiles anew, for 10 to 20 seconds: longer
than most galleries take to cluster. Here a step moves as many edges at once as leave most points touched once.
Figures of both stand in docs/decisions/0010.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.umap.fuzzy import Edges

ROUNDS = 200
NEGATIVES = 5  # random points that repel, for each edge that attracts
STEEPEST = 4.0  # of one pull or push, a coordinate
TOUCHED = 0.5  # edges a step, for each point
EXTENT, NOISE = 10.0, 1e-4  # of the start: the scale on which the curve and the steps are made to work
NEAR = 1e-3  # keeps the push between two points finite

Points = NDArray[np.float32]


class Curve(NamedTuple):
    """How likely two points at a distance d are joined: 1 / (1 + a d^2b)."""

    a: float
    b: float


MAP = Curve(1.5769, 0.8951)  # fits min_dist 0.1 and spread 1: points keep apart, to be seen
TIGHT = Curve(1.9328, 0.7905)  # min_dist 0: groups draw together, to be found


def layout(start: Points, edges: Edges, seed: int, progress: Progress, curve: Curve = MAP) -> Points:
    """(N, d) coordinates about 10 wide, and a graph's edges -> (N, d); the same for one seed."""
    rng = np.random.default_rng(seed)
    points = np.array(start, np.float32)
    heads, tails, weights = edges
    share = weights / weights.max()  # in how many of the rounds an edge attracts
    for number in range(1, ROUNDS + 1):
        active = np.flatnonzero(np.floor(number * share) > np.floor((number - 1) * share))
        rate = np.float32(1 - (number - 1) / ROUNDS)
        for part in np.array_split(rng.permutation(active), max(1, round(len(active) / (TOUCHED * len(points))))):
            _step(points, heads[part], tails[part], rate, rng, curve)
        progress(number, ROUNDS)
    return points


def spread(coordinates: Points, seed: int) -> Points:
    """(N, d) -> the same within 10 of 0, no two alike: where a layout may begin."""
    scaled = coordinates * (EXTENT / max(float(np.abs(coordinates).max()), NOISE))
    noise = np.random.default_rng(seed).normal(scale=NOISE, size=coordinates.shape)
    return np.asarray(scaled + noise, np.float32)


def _step(
    points: Points,
    heads: NDArray[np.int64],
    tails: NDArray[np.int64],
    rate: np.float32,
    rng: np.random.Generator,
    curve: Curve,
) -> None:
    """Move the points of some edges, in place."""
    pull = _pull(points[heads] - points[tails], curve)
    others = rng.integers(0, len(points), (len(heads), NEGATIVES))
    push = _push(points[heads][:, None] - points[others], curve).sum(axis=1)
    for axis in range(points.shape[1]):
        moved = np.bincount(heads, push[:, axis] - pull[:, axis], len(points))
        moved += np.bincount(tails, pull[:, axis], len(points))
        points[:, axis] += rate * moved.astype(np.float32)


def _pull(difference: Points, curve: Curve) -> Points:
    """(E, d) -> the slope of the attraction along it."""
    squared = np.maximum((difference**2).sum(axis=-1, keepdims=True), np.float32(1e-12))
    power = squared**curve.b
    return np.clip(2 * curve.a * curve.b * power / squared / (1 + curve.a * power) * difference, -STEEPEST, STEEPEST)


def _push(difference: Points, curve: Curve) -> Points:
    """(E, R, d) -> the slope of the repulsion along it."""
    squared = (difference**2).sum(axis=-1, keepdims=True)
    return np.clip(
        2 * curve.b / ((NEAR + squared) * (1 + curve.a * squared**curve.b)) * difference, -STEEPEST, STEEPEST
    )
