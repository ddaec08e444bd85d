"""What known labels say of an embedding: a linear classifier on few and many of them, and k-means with the true k."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clustering.kmeans import KMeans
from models.clustering.unit_vectors import first_occurrence, unit_rows
from models.evaluation.labelled import score
from models.evaluation.logistic import fit
from models.evaluation.splits import Numbers, deal, take, usable
from models.threads import threads_for

MOST = 20_000  # vectors a probe looks at
PLENTY = 1000  # labels a split in all, over as many draws as that takes: with one label a class luck decides
DRAWS = 20  # at most
STRENGTH = 10.0  # scikit-learn's C: best or within a point of it for birds, lands and pets among .3 to 1000


def linear_probe(
    vectors: ArrayLike,
    labels: Sequence[Hashable],
    fractions: Sequence[float] = (0.01, 0.1, 0.2, 1.0),
    seed: int = 0,
    folds: int = 5,
) -> dict[str, float]:
    """Test accuracy 0..1 of a linear classifier of (N, D) embeddings, one figure a fraction of labels: "linear_10".

    Stratified cross-validation: each of the folds is the test set once, and the classifier learns from the given
    fraction of each class in the others, at least one image of each. The figure is the mean over folds and over up to
    20 such choices when they are small. The same seed and labels give the same splits: encoders meet on equal terms.

    The classifier is a multinomial logistic regression with an L2 penalty, C = 10, run to convergence on unit vectors,
    centred and scaled to a mean square of 1. Standardised dimensions did worse (lands, one label a class: .47 for .58).

    A class of one image is left out, since it cannot be in both sets. Of more than 20,000 vectors a stratified sample
    of 20,000, drawn with the seed, stands for all. Raises ValueError for lengths that differ, for fewer than two
    classes of two images, fractions outside 0..1 or folds below 2, and VectorsUnusable for zeros or values not finite.
    """
    rows = unit_rows(vectors)
    if len(rows) != len(labels) or folds < 2 or not all(0 < fraction <= 1 for fraction in fractions):
        raise ValueError(f"{len(rows)} vectors, {len(labels)} labels, {folds} folds, fractions {tuple(fractions)}")
    rng = np.random.default_rng(seed)
    chosen, classes = usable(labels, MOST, rng)
    parts = deal(classes, folds, rng)
    found: dict[float, list[float]] = {fraction: [] for fraction in fractions}
    with threads_for(len(chosen)):
        points = _principal(rows[chosen])
        for part in np.unique(parts):
            test, train = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
            for fraction, accuracies in found.items():
                for _ in range(_draws(fraction, len(train))):
                    learnt = take(rng.permutation(train), classes, fraction)
                    accuracies.append(_accuracy(points, classes, learnt, test))
    return {f"linear_{100 * fraction:g}": float(np.mean(each)) for fraction, each in found.items()}


def clustering_scores(vectors: ArrayLike, labels: Sequence[Hashable], seeds: int = 5) -> dict[str, float]:
    """nmi, ari and accuracy (see `labelled.score`) of k-means on (N, D) with k the number of labels, mean over seeds.

    k-means is the service's own, with its restarts. Fewer different vectors than labels: as many clusters as vectors.
    Raises ValueError for lengths that differ or no seeds, and VectorsUnusable for zeros or values not finite.
    """
    rows = unit_rows(vectors)
    if len(rows) != len(labels) or seeds < 1:
        raise ValueError(f"need as many labels as vectors and a seed, not {len(labels)}, {len(rows)}, {seeds} seeds")
    k = min(len(set(labels)), len(np.unique(first_occurrence(rows))))
    with threads_for(len(rows)):
        runs = [score(KMeans().cluster(rows, k, seed=seed).labels.tolist(), labels) for seed in range(seeds)]
    return {name: float(np.mean([run[name] for run in runs])) for name in ("nmi", "ari", "accuracy")}


def _accuracy(points: NDArray[np.float64], classes: Numbers, learnt: Numbers, test: Numbers) -> float:
    predict = fit(points[learnt], classes[learnt], STRENGTH)
    return float(np.mean(predict(points[test]) == classes[test]))


def _draws(fraction: float, images: int) -> int:
    return 1 if fraction == 1 else min(DRAWS, max(1, int(PLENTY / (fraction * images))))


def _principal(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, D) -> (N, min(N, D)) centred, turned to the principal axes, mean square 1 (0 if all rows are equal).

    Turning changes no distance and the penalty is round, so the classifier is the same in fewer dimensions.
    """
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    scale = np.sqrt((centred**2).sum(axis=1).mean())
    if len(rows) < rows.shape[1]:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        points = vectors * np.sqrt(np.maximum(values, 0))
    else:
        points = centred @ np.linalg.eigh(centred.T @ centred)[1]
    return np.asarray(points / scale if scale > np.finfo(np.float32).eps else np.zeros_like(points))
