"""The space in which names spread: principal directions of the embeddings' signed square roots.

The square root evens out the few large entries of pooled features (Tukey's ladder; for few examples: Hu, Gripon and
Pateux 2021, https://arxiv.org/abs/2006.03806).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

DIM = 128


@dataclass(frozen=True, eq=False)
class Axes:
    """mean (D,), axes (D, P), orthonormal, those of most variance first; P is at most D."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.float32], dim: int) -> Self:
        """(N, D) -> their `dim` principal directions."""
        mean = rows.mean(axis=0)
        centred = rows - mean
        _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))  # ascending
        return cls(mean, np.ascontiguousarray(axes[:, ::-1][:, :dim], np.float32))

    def project(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, D) -> (B, P)."""
        return np.asarray((rows - self.mean) @ self.axes)


def rooted(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) -> (N, D) unit rows of signed square roots."""
    roots = np.sqrt(np.abs(vectors), dtype=np.float32)
    return unit(np.copysign(roots, vectors, out=roots))


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, P) -> (N, P) of length one; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
