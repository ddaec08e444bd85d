"""Images that fit their own cluster badly, judged by robust statistics of the distances in it.

An image is atypical when its distance to its centre exceeds median + CUT * 1.4826 * MAD of its cluster (Iglewicz and
Hoaglin 1993; 1.4826 * MAD estimates the standard deviation of a normal sample, and 3.5 is their cut). The median and
the MAD of a few distances say little, so clusters under SMALL images are judged by those of all images together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER, Clustering

CUT = 3.5
NORMAL = 1.4826
SMALL = 10
ROUNDING = 1e-6  # distances of equal images differ by this much in float32; never atypical for that


def atypical(clustering: Clustering) -> NDArray[np.bool_]:
    """(N,) True for images beyond their cluster's threshold, and for those the algorithm itself left out (-1)."""
    left_out = clustering.labels == OUTLIER
    if left_out.all():
        return np.asarray(left_out)
    return np.asarray(left_out | (clustering.distances > thresholds(clustering)[clustering.labels]))


def thresholds(clustering: Clustering) -> NDArray[np.float64]:
    """(K,) the distance to its centre beyond which an image of each cluster is atypical."""
    labels, distances = clustering.labels, clustering.distances
    limits = np.full(clustering.k, _limit(distances[labels != OUTLIER]))
    for cluster in np.flatnonzero(clustering.sizes >= SMALL):
        limits[cluster] = _limit(distances[labels == cluster])
    return limits


def _limit(distances: NDArray[np.float32]) -> float:
    median = float(np.median(distances))
    return median + CUT * NORMAL * float(np.median(np.abs(distances - median))) + ROUNDING
