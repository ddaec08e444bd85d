"""Images of kinds that are easy to tell apart, in many more dimensions than there are kinds."""

import numpy as np
from numpy.typing import NDArray

from models.labels.given import Given


def kinds(count: int, each: int, seed: int = 0, noise: float = 0.25) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(count * each, 32) unit rows and (count * each,) their kinds, one after the other."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 32))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    codes = np.repeat(np.arange(count), each)
    rows = centres[codes] + noise * rng.normal(size=(len(codes), 32)) / np.sqrt(32) * 2
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), codes


def named(codes: NDArray[np.int64], each: int, labels: int, seed: int = 0) -> Given:
    """`each` random images of the first `labels` kinds."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(codes == code))[:each] for code in range(labels)])
    return Given(rows, codes[rows], np.ones(len(rows)), labels)
