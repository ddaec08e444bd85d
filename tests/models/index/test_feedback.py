"""Rocchio: the mean of what fits, a share of what does not taken away."""

import numpy as np
import pytest

from models.index.feedback import NoDirection, rocchio

X, Y, Z = np.eye(3, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)


def test_is_the_formula_normalised():
    found = rocchio(np.stack([X, Y]), np.stack([Z, X]), share=0.5)
    expected = np.array([0.5 - 0.25, 0.5, -0.25])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)
    assert found.dtype == np.float32


def test_one_example_is_itself():
    np.testing.assert_array_equal(rocchio(X[None], NONE), X)


def test_examples_that_cancel_each_other_out():
    with pytest.raises(NoDirection):
        rocchio(np.stack([X, -X]), NONE)
    with pytest.raises(NoDirection):
        rocchio(X[None], X[None], share=1)
