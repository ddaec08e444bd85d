"""Influence of k on a fine-tuned encoder: the third of the curves by which Caron et al. 2018 judge their clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.clustering.base import KTooLarge
from models.clustering.kmeans import KMeans, Params
from models.evaluation.labelled import score

SMALLEST, STEP = 2, 2.0
IMAGES_A_CLUSTER = 8  # at the largest k
RESTARTS = 2
MOST = 10_000  # images; more are sampled


def influence_of_k(
    vectors: np.ndarray, labels: Sequence[str | None] | None, seed: int, report: Callable[[int, int], None]
) -> list[dict[str, float | None]]:
    """(N, D) vectors of length one -> for k = 2, 4, 8 ... N/8: how well k-means agrees with itself and with the labels.

    nmi_seeds   NMI of two runs from different seeds: high where k fits what is there
    nmi_labels  NMI with the labels, of the images that have one; None without labels

    The paper trains once for each k and compares what is learnt; this one encoder is clustered with each k.
    """
    if len(vectors) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(len(vectors), MOST, replace=False))
        vectors, labels = vectors[rows], [labels[row] for row in rows] if labels else None
    known = [row for row, label in enumerate(labels or []) if label is not None]
    truth = [str(labels[row]) for row in known] if labels else []
    found: list[dict[str, float | None]] = []
    steps = _grid(len(vectors))
    for done, k in enumerate(steps):
        report(done, len(steps))
        try:
            first, second = (
                KMeans().cluster(vectors, k, Params(restarts=RESTARTS), seed=seed + shift).labels for shift in (0, 1)
            )
        except KTooLarge:  # of many copies: fewer than k vectors differ
            break
        agreement = score(first.tolist(), second.tolist())["nmi"]
        quality = score(first[known].tolist(), truth)["nmi"] if truth else None
        found.append({"k": float(k), "nmi_seeds": agreement, "nmi_labels": quality})
    report(len(steps), len(steps))
    return found


def _grid(images: int) -> list[int]:
    largest = max(SMALLEST, images // IMAGES_A_CLUSTER)
    grid, k = [], float(SMALLEST)
    while k <= largest:
        grid.append(round(k))
        k *= STEP
    return grid
