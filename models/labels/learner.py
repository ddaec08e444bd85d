"""From the names given to the likelihood of every label for every image.

Three opinions are averaged: two mixtures, which also learn from images without a name, one of embeddings as they are
and one of embeddings averaged with their neighbours', and a logistic regression on the named images alone. The
mixtures begin with what label spreading and the regression agree on.

Chosen on efficientnet-lite0 embeddings of birds, lands and pets with 5 names a label, 8 draws, mean accuracy:

    logistic regression                .815  .755  .926
    label spreading                    .785  .789  .926
    regression, averaged embeddings    .832  .785  .943
    mixture, embeddings as they are    .846  .841  .943
    mixture, averaged embeddings       .845  .845  .944
    all three                          .846  .847  .944

The mixtures' weight of unnamed images (.1 to .3) and shrinkage (.05 to .2) moved these by up to .015; the row of
embeddings as they are had .3 and .1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.principal import Axes
from models.evaluation import logistic
from models.labels.given import Given
from models.labels.mixture import Mixture, softmax
from models.labels.neighbourhood import Neighbourhood
from models.labels.space import DIM as SPACE_DIM
from models.labels.space import rooted, unit

DIM = 64  # directions the mixture sees
STRENGTH = 10.0  # of the regression: the inverse of its penalty
HEAT = 4.0  # what the mixtures' scores are divided by; a Gaussian in 64 directions is far too sure of itself

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Learnt:
    """What one set of names taught: `likelihood` of rows, and how far the names reach among the sample, (N,)."""

    raw: Mixture
    averaged: Mixture
    regression: Matrix
    reach: NDArray[np.float32]

    def likelihood(self, placed: Placed) -> Matrix:
        """(B,) placed rows -> (B, C) logarithms of the labels' probabilities, before calibration."""
        opinions = (
            softmax(self.raw.scores(placed.raw) / HEAT),
            softmax(self.averaged.scores(placed.averaged) / HEAT),
            softmax(placed.directions @ self.regression[:-1] + self.regression[-1]),
        )
        return np.log(sum(opinions) / len(opinions) + 1e-12)


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows as the three opinions see them: raw and averaged (B, DIM), directions (B, 128) of length one."""

    raw: Matrix
    averaged: Matrix
    directions: Matrix

    def __getitem__(self, part: NDArray[np.int64] | NDArray[np.bool_]) -> Placed:
        return Placed(self.raw[part], self.averaged[part], self.directions[part])


class Learner:
    """What is the same whatever is named: the space, the neighbourhood, and the sample's place in both."""

    def __init__(self, space: Axes, hood: Neighbourhood, rows: NDArray[np.float32]) -> None:
        smoothed = hood.smoothed(rows)
        self.space, self.hood, self.smoothed = space, hood, smoothed
        self.inner = Axes.of(unit(smoothed), DIM)
        self.sample = self._placed(rows, smoothed)

    @classmethod
    def of(cls, vectors: NDArray[np.float32], progress: Progress | None = None) -> Self:
        """(N, D) unit rows, at least two: all images or a sample of them."""
        space = Axes.of(rooted(vectors), SPACE_DIM)
        rows = space.project(rooted(vectors))
        return cls(space, Neighbourhood.of(rows, progress), rows)

    def learn(self, given: Given) -> Learnt:
        count = len(self.smoothed)
        sources = given.sources(count)
        target = np.asarray(sources[given.rows], np.float64)
        regression = logistic.coefficients(self.sample.directions[given.rows], target, STRENGTH)
        spread = self.hood.spread(sources)
        first = softmax(self.sample.directions @ regression[:-1] + regression[-1]) + _evened(spread)
        trust = np.zeros(count)
        trust[given.rows] = given.trust
        named = sources > 0
        beliefs = np.where(named.any(axis=1, keepdims=True), named, first / 2).astype(np.float64)
        raw, averaged = (Mixture.learnt(rows, beliefs, trust) for rows in (self.sample.raw, self.sample.averaged))
        weight = sources.sum(axis=1)
        return Learnt(raw, averaged, regression, self.hood.reach(weight) / weight.sum())

    def join(self, vectors: NDArray[np.float32], learnt: Learnt) -> tuple[Placed, NDArray[np.float32]]:
        """(B, D) unit rows that are not in the sample -> their place, and how far the names reach them (B,)."""
        rows = self.space.project(rooted(vectors))
        smoothed, reach = self.hood.joined(rows, self.smoothed, learnt.reach)
        return self._placed(rows, smoothed), reach

    def _placed(self, rows: NDArray[np.float32], smoothed: NDArray[np.float32]) -> Placed:
        directions = unit(smoothed)
        seen = (rows[:, :DIM], self.inner.project(directions), directions)
        return Placed(*(np.asarray(one, np.float64) for one in seen))


def _evened(spread: NDArray[np.float32]) -> Matrix:
    """(N, C) amounts -> (N, C) shares, as if equally much of every label had been given away (Zhu 2003, CMN)."""
    even = np.asarray(spread, np.float64) / np.maximum(spread.sum(axis=0), 1e-12)
    whole = even.sum(axis=1, keepdims=True)
    return np.asarray(np.where(whole > 0, even / np.maximum(whole, 1e-300), 1 / spread.shape[1]))
