"""Where a map begins: the two directions in which the vectors differ most, so that its large shape means something.

Kobak and Linderman 2021, "Initialization is critical for preserving global data structure in both t-SNE and UMAP"
(https://doi.org/10.1038/s41587-020-00809-z).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPARE = 8  # further random directions, so that the wanted two are found well
POWERS = 3


def principal_plane(rows: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(N, D) -> (N, 2) the two principal components about their mean, widest first; zeros where rows do not differ.

    Randomised, as in models.clustering.principal, and turned so that the largest value of each axis is positive.
    """
    probe = np.random.default_rng(seed).standard_normal((rows.shape[1], 2 + SPARE), np.float32)
    for _ in range(POWERS):
        probe, _ = np.linalg.qr(rows.T @ _centred(rows @ probe))
    inside = _centred(rows @ probe).astype(np.float64)
    _, directions = np.linalg.eigh(inside.T @ inside)
    plane = inside @ directions[:, ::-1][:, :2]
    if plane.shape[1] < 2:
        plane = np.hstack([plane, np.zeros((len(plane), 2 - plane.shape[1]))])
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    return np.asarray(plane * np.where(signs == 0, 1, signs), np.float32)


def _centred(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same about 0. To centre a product is to centre the rows in it, and saves a copy of them."""
    return columns - columns.mean(axis=0)
