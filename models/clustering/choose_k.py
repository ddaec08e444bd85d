"""How many clusters: two or three answers from coarse to fine, with what speaks for each.

No measure knows the true k (candidates.py has them side by side), so the answer is never one number. Every candidate is
clustered by k-means and judged by the modularity of its partition on the graph of neighbours; all whose modularity is
nearly the best are possible answers, and of these the coarsest, the best and the finest are suggested. Of those
suggested, the most stable is taken: twenty times as many images are drawn with replacement and clustered anew, and the
partition is compared with the one of all images on those that were drawn (adjusted Rand index, which is 0 by chance
whatever k is; Ben-Hur et al. 2002, Hennig 2007 https://doi.org/10.1016/j.csda.2006.11.025). Between those that are
equally stable as far as twenty resamples can tell, modularity decides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.candidates import grid, modularity, principal
from models.clustering.lloyd import assign, fit, sample
from models.clustering.neighbour_graph import neighbour_graph
from models.clustering.stages import stages
from models.clustering.unit_vectors import first_occurrence, unit_rows
from models.threads import threads_for

SAMPLE = 4096  # images the choice is made on; larger collections are drawn from, with the seed
NEIGHBOURS = 10
RESTARTS, ITERATIONS = 3, 20
NEARLY = 0.97  # of the best modularity: those candidates are possible answers
RESAMPLES = 20
RESAMPLED = 2000  # images at most in a resample
JUDGED = 1000  # images whose silhouette is computed: a matrix of 1000 x 1000 for each candidate


@dataclass(frozen=True)
class Candidate:
    """One k. silhouette: -1 to 1; davies_bouldin: from 0, lower is better; both None where undefined.

    balance: entropy of the sizes, 1 when they are equal. stability: mean adjusted Rand index of the resamples, at
    most 1, only of those suggested.
    """

    k: int
    modularity: float
    silhouette: float | None
    davies_bouldin: float | None
    balance: float | None
    stability: float | None = None


@dataclass(frozen=True)
class Suggestions:
    """k: the one taken; suggested: two or three when there are so many, coarse to fine; curve: every candidate."""

    k: int
    suggested: list[Candidate]
    curve: list[Candidate]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def suggest(vectors: NDArray[np.float32], seed: int = 0, progress: Progress | None = None) -> Suggestions:
    """(N, D) -> suggestions, each k between 2 and 1.5 sqrt(N) or 256; only k = 1 below three distinct vectors.

    On a sample of 4096 images when there are more. Raises VectorsUnusable.
    """
    with threads_for(len(vectors)):
        return _suggest(vectors, seed, progress)


def _suggest(vectors: NDArray[np.float32], seed: int, progress: Progress | None) -> Suggestions:
    rows = sample(unit_rows(vectors), SAMPLE, np.random.default_rng(seed))
    first = first_occurrence(rows)
    every_k = grid(len(vectors), int(np.count_nonzero(first == np.arange(len(first)))))
    if not every_k:
        return Suggestions(1, [], [])
    curving, resampling = stages(progress, 1, 2)
    edges, rows = neighbour_graph(rows, NEIGHBOURS), principal(rows)
    curve, partitions = [], {}
    for number, k in enumerate(every_k):
        curving(number, len(every_k))
        partitions[k] = _partition(rows, k, seed)
        curve.append(_judged(k, rows, edges, partitions[k], seed))
    curving(1, 1)
    picked = _pick(curve)
    scores = [
        _resampled(rows, partitions[one.k], one.k, seed, part)
        for one, part in zip(picked, stages(resampling, *(1.0 for _ in picked)), strict=True)
    ]
    suggested = [replace(one, stability=float(own.mean())) for one, own in zip(picked, scores, strict=True)]
    return Suggestions(_taken(suggested, scores).k, suggested, curve)


def choose_k(vectors: NDArray[np.float32], seed: int = 0, progress: Progress | None = None) -> int:
    """(N, D) -> the k that `suggest` takes."""
    return suggest(vectors, seed, progress).k


def _partition(rows: NDArray[np.float32], k: int, seed: int) -> NDArray[np.int32]:
    return assign(rows, fit(rows, k, restarts=RESTARTS, iterations=ITERATIONS, seed=seed))[0]


def _judged(k: int, rows: NDArray[np.float32], edges: Any, labels: NDArray[np.int32], seed: int) -> Candidate:
    from models.clustering.result import from_labels
    from models.evaluation.unlabelled import metrics

    found = metrics(rows, from_labels(rows, labels), seed, sample=JUDGED)
    return Candidate(k, modularity(edges, labels), found["silhouette"], found["davies_bouldin"], found["balance"])


def _pick(curve: list[Candidate]) -> list[Candidate]:
    """The coarsest, the best and the finest of those that are nearly the best; beside an only one, its neighbour."""
    best = max(curve, key=lambda one: one.modularity)
    least = min(NEARLY * best.modularity, best.modularity)  # of few images every partition may be below chance
    near = [one for one in curve if one.modularity >= least]
    if len(near) == 1:
        others = sorted((one for one in curve if one is not best), key=lambda one: -one.modularity)
        near = sorted([best, *others[:1]], key=lambda one: one.k)
    return sorted({one.k: one for one in (near[0], best, near[-1])}.values(), key=lambda one: one.k)


def _resampled(
    rows: NDArray[np.float32], labels: NDArray[np.int32], k: int, seed: int, progress: Progress
) -> NDArray[np.float64]:
    """(RESAMPLES,) adjusted Rand index of the partition and each resample's, on the images that were drawn.

    Every k meets the same resamples, so that they can be compared one by one.
    """
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    scores = []
    for number in range(RESAMPLES):
        progress(number, RESAMPLES)
        drawn = rng.integers(0, len(rows), min(len(rows), RESAMPLED))
        again = _partition(rows[drawn], min(k, len(np.unique(drawn))), seed)
        _, once = np.unique(drawn, return_index=True)
        scores.append(adjusted_rand_score(labels[drawn[once]], again[once]))
    progress(RESAMPLES, RESAMPLES)
    return np.array(scores)


def _taken(suggested: list[Candidate], scores: list[NDArray[np.float64]]) -> Candidate:
    """The most stable, or of those that are as stable within one standard error the one of the highest modularity."""
    best = max(scores, key=lambda own: float(own.mean()))
    behind = [best - own for own in scores]
    alike = [one.mean() <= one.std(ddof=1) / len(one) ** 0.5 for one in behind]
    return max((one for one, near in zip(suggested, alike, strict=True) if near), key=lambda one: one.modularity)
