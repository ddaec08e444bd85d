"""The directions in which unit vectors differ most: a smaller space in which to look for clusters.

Randomised (Halko, Martinsson and Tropp 2011, https://arxiv.org/abs/0909.4061), since a full decomposition of a
1280 x 1280 matrix would cost more than the clustering that it speeds up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.unit_vectors import unit_rows

SPARE = 16  # further random directions, so that the wanted ones are found well


def principal(vectors: NDArray[np.float32], dim: int, seed: int) -> NDArray[np.float32]:
    """(N, D) unit rows -> (N, min(dim, D, N)) unit rows in their leading singular directions; the same for one seed."""
    return unit_rows(np.ascontiguousarray(vectors @ directions(vectors, dim, seed)))


def directions(vectors: NDArray[np.float32], dim: int, seed: int) -> NDArray[np.float32]:
    """(N, D) -> (D, min(dim, D, N)) orthonormal leading singular directions, the strongest first."""
    width = min(dim + SPARE, *vectors.shape)
    probe = np.random.default_rng(seed).standard_normal((vectors.shape[1], width), np.float32)
    basis, _ = np.linalg.qr(vectors.T @ (vectors @ probe))  # one power step: sharper than the probe alone
    inside = vectors @ basis
    _, turned = np.linalg.eigh(inside.T @ inside)  # ascending
    return np.asarray(basis @ turned[:, ::-1][:, : min(dim, width)])
