"""One Gaussian a label with a covariance in common, learnt from named and unnamed rows together by EM.

Unnamed rows count less than named ones (Nigam, McCallum, Thrun and Mitchell 2000, "EM-lambda"); the covariance is
shrunk to a sphere. What makes the labels' differences stand out, the spread of images within one label, is learnt
mostly from images nobody has named. Labels are equally likely beforehand: how many were named tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

STEPS = 8
UNNAMED = 0.2  # weight of an unnamed row beside a named one's 1
SHRINKAGE = 0.05  # part of the sphere in the covariance

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Scores of a row x are x @ weights + offsets, the logarithm of its likelihood but for what all labels share."""

    weights: Matrix  # (P, C)
    offsets: Matrix  # (C,)

    @classmethod
    def learnt(cls, rows: Matrix, beliefs: Matrix, trust: Matrix) -> Self:
        """(N, P) rows, (N, C) which label each has as far as is known, (N,) how sure that is: 1 named, 0 not at all.

        A row's belief stays in force with its trust: at 1 for ever, at 0 only for the first step.
        """
        weight = UNNAMED + (1 - UNNAMED) * trust
        share = beliefs
        for _ in range(STEPS):
            made = cls._estimated(rows, share * weight[:, None])
            share = softmax(made.scores(rows))
            share = trust[:, None] * beliefs + (1 - trust[:, None]) * share
        return made

    def scores(self, rows: Matrix) -> Matrix:
        """(B, P) -> (B, C)."""
        return np.asarray(rows @ self.weights + self.offsets)

    @classmethod
    def _estimated(cls, rows: Matrix, share: Matrix) -> Self:
        """(N, P), (N, C) weights of rows in labels -> the Gaussians that fit them best."""
        counts = share.sum(axis=0) + 1e-9
        means = (share.T @ rows) / counts[:, None]
        within = (rows.T * share.sum(axis=1)) @ rows - (means.T * counts) @ means
        within /= counts.sum()
        sphere = np.eye(len(within)) * (np.trace(within) / len(within) + 1e-12)
        within = (1 - SHRINKAGE) * within + SHRINKAGE * sphere
        weights = np.linalg.solve(within, means.T)
        return cls(weights, -0.5 * np.einsum("cp,pc->c", means, weights))


def softmax(scores: Matrix) -> Matrix:
    """(N, C) -> (N, C) rows that sum to 1."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
