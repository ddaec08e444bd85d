"""How sure to be: from names that are left out in turns and foretold by the others.

One temperature on all probabilities (Guo, Pleiss, Sun and Weinberger 2017, https://arxiv.org/abs/1706.04599), drawn
towards what suited galleries that were measured: few names say little of it.

An image is unlike everything named when the names reach it less than they reach one in twenty of the names left out.
Of the images of named kinds about one in twenty is then called unknown, if the names are a random sample (conformal
outlier detection: Bates, Candes, Lei, Romano and Sesia 2023, https://arxiv.org/abs/2104.08279; not exactly, since there
are fewer names in each turn than in the end).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.purity import purity
from models.labels.given import FOLDS, Given
from models.labels.learner import Learner
from models.labels.mixture import softmax

USUAL = 0.85  # the best temperature for birds, lands and pets at 2 to 20 names a label was .6 to 1.2, mostly .8 to .95
DRAWN = 10.0  # how many names' worth the usual temperature counts
TEMPERATURES = np.geomspace(0.3, 4, 53)
NEW = 0.05  # share of the named kinds' images that may be called unknown
FEWEST = round(1 / NEW) - 1  # names left out, below which none can be that rare
BINS = 15

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """Of the names left out: how many, the share foretold rightly with its 95% interval, and the calibration error."""

    names: int
    accuracy: float
    low: float
    high: float
    ece: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """temperature; reach (K,) of the names left out, ascending; and what they say of the accuracy, if there are any."""

    temperature: float
    reach: NDArray[np.float64]
    estimate: Estimate | None

    @property
    def novelty(self) -> bool:
        """Whether there are names enough to tell what is unlike all of them."""
        return len(self.reach) >= FEWEST

    def probabilities(self, likelihood: Matrix) -> Matrix:
        """(B, C) logarithms -> (B, C)."""
        return softmax(likelihood / self.temperature)

    def new(self, reach: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(B,) how far names reach -> whether each is farther from them than all but one in twenty of named kinds."""
        rank = 1 + np.searchsorted(self.reach, reach, side="right")
        return np.asarray(rank / (len(self.reach) + 1) <= NEW)


def calibrate(
    learner: Learner, given: Given, images: int, seed: int, progress: Callable[[int], None] | None = None
) -> Calibration:
    """`images` is how many are to be labelled. `progress` is called after each of FOLDS steps with their number."""
    folds = given.folds(seed)
    likelihood, reach = np.zeros((len(folds), given.labels)), np.zeros(len(folds))
    for fold in range(FOLDS):
        out = folds == fold
        if out.any():
            learnt = learner.learn(given.only(~out))
            likelihood[out] = learnt.likelihood(learner.sample[given.rows[out]])
            reach[out] = learnt.reach[given.rows[out]]
        if progress is not None:
            progress(fold + 1)
    left = folds >= 0
    likelihood, codes, folds = likelihood[left], given.codes[left], folds[left]
    estimate = _estimate(likelihood, codes, folds, images) if left.any() else None
    return Calibration(temperature(likelihood, codes), np.sort(reach[left]), estimate)


def temperature(likelihood: Matrix, codes: NDArray[np.int64]) -> float:
    """(K, C) logarithms and (K,) the right labels -> what to divide by; without any, the usual."""
    rows = np.arange(len(codes))

    def loss(one: float) -> float:
        right = softmax(likelihood / one)[rows, codes]
        return float(-np.log(right + 1e-12).sum() + DRAWN / 2 * np.log(one / USUAL) ** 2)

    return float(min(TEMPERATURES, key=loss)) if len(codes) else USUAL


def calibration_error(probabilities: Matrix, codes: NDArray[np.int64]) -> float:
    """Expected calibration error in 15 equal bins (Naeini, Cooper and Hauskrecht 2015)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == codes
    places = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(places, weights=confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(codes))


def _estimate(likelihood: Matrix, codes: NDArray[np.int64], folds: NDArray[np.int64], images: int) -> Estimate:
    """Each name judged at the temperature that the other folds' names chose."""
    probabilities = np.empty_like(likelihood)
    for fold in np.unique(folds):
        out = folds == fold
        probabilities[out] = softmax(likelihood[out] / temperature(likelihood[~out], codes[~out]))
    right = int((probabilities.argmax(axis=1) == codes).sum())
    found = purity(right, len(codes), max(images, len(codes)))
    return Estimate(len(codes), found.estimate, found.low, found.high, calibration_error(probabilities, codes))
