"""Logistic regression against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.evaluation import logistic
from models.evaluation.logistic import fit


def drawn(classes: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    names = 10 * rng.permutation(classes)  # not 0..K-1 and not in order
    codes = rng.integers(classes, size=400)
    return rng.standard_normal((classes, 12))[codes] + noise * rng.standard_normal((400, 12)), names[codes]


@pytest.mark.parametrize("classes", [2, 3, 11])
@pytest.mark.parametrize("strength", [0.01, 1.0, 10.0])
def test_decides_as_scikit_learn(classes, strength):
    points, names = drawn(classes, 1.5)
    # for two classes scikit-learn has one column of weights, twice as long as each of two, and so half the penalty
    equal = 2 * strength if classes == 2 else strength
    oracle = LogisticRegression(C=equal, tol=1e-8, max_iter=5000).fit(points[:300], names[:300])
    found = fit(points[:300], names[:300], strength)(points[300:])
    assert 0.3 < np.mean(found == names[300:]) < 1
    assert np.mean(found == oracle.predict(points[300:])) >= 0.99


def test_one_class_is_always_that_class():
    assert fit(np.eye(3), np.full(3, 7), 1.0)(np.zeros((2, 3))).tolist() == [7, 7]


def test_says_when_it_has_not_converged(monkeypatch):
    monkeypatch.setattr(logistic, "STEPS", 1)
    with pytest.raises(ArithmeticError, match="did not converge"):
        fit(*drawn(5, 1.0), 10.0)
