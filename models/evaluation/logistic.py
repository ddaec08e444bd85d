"""Multinomial logistic regression with an L2 penalty, by L-BFGS (Liu and Nocedal 1989)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

STEPS = 2000  # at most; 50 to 200 are usual
TOLERANCE = 1e-4  # largest entry of the gradient of the mean loss

Matrix = NDArray[np.float64]
Codes = NDArray[np.int64]


def fit(points: Matrix, classes: Codes, strength: float) -> Callable[[Matrix], Codes]:
    """(N, D), (N,) -> what gives (M, D) points their classes (M,). Raises ArithmeticError: see `coefficients`."""
    names, codes = np.unique(classes, return_inverse=True)
    best = coefficients(points, np.eye(len(names))[codes], strength)
    return lambda rows: names[(rows @ best[:-1] + best[-1]).argmax(axis=1)]


def coefficients(points: Matrix, target: Matrix, strength: float) -> Matrix:
    """(N, D), (N, C) shares of each point's classes -> (D + 1, C) weights, the intercepts last.

    Minimises the mean cross-entropy plus the squared weights over 2 * strength * N, the intercept free: scikit-learn's
    LogisticRegression(C=strength). A row of `target` that sums to less than 1 counts for less. Raises ArithmeticError
    when it has not converged.
    """
    from scipy.optimize import minimize

    shape = (points.shape[1] + 1, target.shape[1])
    counts = target.sum(axis=1, keepdims=True)
    padded = np.column_stack([points, np.ones(len(points))])
    penalty = np.full((shape[0], 1), 1 / (strength * len(points)))
    penalty[-1] = 0

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        scores = padded @ weights
        scores -= scores.max(axis=1, keepdims=True)
        total = np.exp(scores).sum(axis=1, keepdims=True)
        likelihood = float((scores * target).sum() - (counts * np.log(total)).sum()) / len(points)
        gradient = padded.T @ (counts * np.exp(scores) / total - target) / len(points) + penalty * weights
        return float((penalty * weights**2).sum()) / 2 - likelihood, gradient.ravel()

    options = {"maxiter": STEPS, "maxfun": 2 * STEPS, "gtol": TOLERANCE, "ftol": 0.0}
    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options=options)
    if np.abs(found.jac).max() > 10 * TOLERANCE:
        raise ArithmeticError(f"the logistic regression did not converge in {found.nit} steps: {found.message}")
    return np.asarray(found.x.reshape(shape))
