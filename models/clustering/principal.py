"""The directions in which vectors differ most: a smaller space in which to look for clusters.

`principal` is randomised (Halko, Martinsson and Tropp 2011, https://arxiv.org/abs/0909.4061), since a full
decomposition of a 1280 x 1280 matrix would cost more than the clustering that it speeds up; `Axes` is exact, keeps the
mean in the middle, and takes further rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.clustering.unit_vectors import unit_rows

SPARE = 16  # further random directions, so that the wanted ones are found well


def principal(vectors: NDArray[np.float32], dim: int, seed: int) -> NDArray[np.float32]:
    """(N, D) unit rows -> (N, min(dim, D, N)) unit rows in their leading singular directions; the same for one seed."""
    width = min(dim + SPARE, *vectors.shape)
    probe = np.random.default_rng(seed).standard_normal((vectors.shape[1], width), np.float32)
    basis, _ = np.linalg.qr(vectors.T @ (vectors @ probe))  # one power step: sharper than the probe alone
    inside = vectors @ basis
    _, directions = np.linalg.eigh(inside.T @ inside)  # ascending
    return unit_rows(np.ascontiguousarray(inside @ directions[:, ::-1][:, : min(dim, width)]))


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
