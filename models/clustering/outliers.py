"""Images that are unlike the rest, judged by how far their neighbours are, by the measure of their own cluster.

A score is the distance to the 10th nearest image (Ramaswamy, Rastogi and Shim 2000, "Efficient algorithms for mining
outliers from large data sets") over a threshold: 1 is the threshold. A cluster's threshold is median + CUT * 1.4826 *
MAD of the distances in it (Iglewicz and Hoaglin 1993; 1.4826 * MAD estimates the standard deviation of a normal sample,
and 3.5 is their cut), drawn towards that of all images: the median and the MAD of few distances say little, and in a
very tight cluster what is a little less tight is no outlier yet.

Five foreign pictures among birds, lands or pets, k-means with the true k, eight draws each of six mixtures: distance to
the centre by the cluster's own threshold, AUROC .952 and .75 of the top five foreign; 10th neighbour, likewise .997 and
.73; 10th neighbour by the threshold here, 1.000 and .98. Foreign pictures of one kind may get a centre of their own,
where they are near it; they are still far from ten others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER, Clustering, Progress
from models.clustering.unit_vectors import unit_rows
from models.neighbours.cells import near_neighbours

CUT = 3.5
NORMAL = 1.4826
SMALL = 10
NEIGHBOUR = 10
SHARE = 20  # of a small gallery's images, one in so many is near enough
PRIOR = 300  # images whose threshold the whole gallery's counts for, beside a cluster's own
ROUNDING = 1e-6  # distances of equal images differ by this much in float32; never atypical for that
LEFT_OUT = 1.001  # the least score of an image that the algorithm left out


def scores(
    vectors: NDArray[np.float32], clustering: Clustering, progress: Progress | None = None
) -> NDArray[np.float32]:
    """(N, D) -> (N,) from 0, outliers from 1 on; those that the algorithm itself left out (-1) are above 1 too.

    Memory holds the vectors and 128 numbers an image besides: neighbours are found by models/neighbours/cells.py.
    """
    labels = clustering.labels
    if len(labels) == 1:
        return np.where(labels == OUTLIER, LEFT_OUT, 0).astype(np.float32)
    distances = neighbour_distances(unit_rows(vectors), progress)
    whole = _limit(distances)
    limits = np.full(clustering.k + 1, whole)  # the last is that of the images left out
    for cluster, size in enumerate(clustering.sizes.tolist()):
        if size:
            limits[cluster] = (size * _limit(distances[labels == cluster]) + PRIOR * whole) / (size + PRIOR)
    found = distances / limits[labels]
    found[labels == OUTLIER] = np.maximum(found[labels == OUTLIER], LEFT_OUT)
    return found.astype(np.float32)


def neighbour_distances(rows: NDArray[np.float32], progress: Progress | None = None) -> NDArray[np.float64]:
    """(N, D) unit rows -> (N,) cosine distance to the 10th nearest other image; in a gallery under 200, to a nearer."""
    wanted = max(1, min(NEIGHBOUR, len(rows) // SHARE))
    _, cosines = near_neighbours(rows, wanted, progress)
    return np.maximum(1 - cosines[:, -1].astype(np.float64), 0)


def atypical(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) True for outliers."""
    return np.asarray(scores >= 1)


def thresholds(clustering: Clustering) -> NDArray[np.float64]:
    """(K,) the distance to its centre beyond which an image that joins a cluster later counts as an outlier.

    Without its neighbours that is what can be said. Clusters under SMALL images have the threshold of all images.
    """
    labels, distances = clustering.labels, clustering.distances
    limits = np.full(clustering.k, _limit(distances[labels != OUTLIER]))
    for cluster in np.flatnonzero(clustering.sizes >= SMALL):
        limits[cluster] = _limit(distances[labels == cluster])
    return limits


def _limit(distances: NDArray[np.floating]) -> float:
    median = float(np.median(distances))
    return median + CUT * NORMAL * float(np.median(np.abs(distances - median))) + ROUNDING
