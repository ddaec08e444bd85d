"""The space in which names spread: principal directions of the embeddings' signed square roots.

The square root evens out the few large entries of pooled features (Tukey's ladder; for few examples: Hu, Gripon and
Pateux 2021, https://arxiv.org/abs/2006.03806).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIM = 128


def rooted(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) -> (N, D) unit rows of signed square roots."""
    roots = np.sqrt(np.abs(vectors), dtype=np.float32)
    return unit(np.copysign(roots, vectors, out=roots))


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, P) -> (N, P) of length one; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
