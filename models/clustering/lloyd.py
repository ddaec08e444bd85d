"""Lloyd's iterations for spherical k-means, run by FAISS (Dhillon and Modha 2001; https://arxiv.org/abs/1702.08734).

One FAISS call does one iteration, so that progress and cancelling have a place and convergence can be seen. The first
centres come from k-means++ (Arthur and Vassilvitskii 2007), tried greedily as scikit-learn does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.principal import principal

DIRECTIONS = 128  # clusters found in these were as good as in all 1280 on four galleries, in a tenth of the time
CONVERGED = 1e-6  # relative gain of the objective below which another iteration changes next to nothing
SETTLED = 5e-5  # the same over all rows: half the iterations over 200,000, and .03% more inertia
SEEDING_SAMPLE = 20_000  # rows k-means++ looks at: each new centre costs one pass over them


def fit(
    vectors: NDArray[np.float32],
    k: int,
    *,
    restarts: int,
    iterations: int,
    seed: int,
    search: int = 8192,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """(N, D) unit rows, k <= N -> (k, D) unit centres.

    The restart with the highest sum of cosines wins. Restarts run on max(search, 100 k) rows drawn with the seed, in
    their DIRECTIONS principal directions, which settles which local optimum to take; the winner then goes on over all
    rows and dimensions.
    """
    rows = sample(vectors, max(search, 100 * k), np.random.default_rng(seed))
    pool = principal(rows, DIRECTIONS, seed) if rows.shape[1] > DIRECTIONS else rows
    steps = (restarts + 1) * iterations
    report = progress or (lambda done, total: None)
    best = None
    for restart in range(restarts):
        centres = plus_plus(pool, k, np.random.default_rng((seed, restart)))
        run = _Run(pool, centres, seed).converge(iterations, restart * iterations, steps, report)
        best = run if best is None or run.objective > best.objective else best
    assert best is not None, "restarts is at least 1"
    centres = _lifted(rows, assign(pool, best.centres)[0], k, seed)
    whole = _Run(vectors, centres, seed).converge(iterations, restarts * iterations, steps, report, SETTLED)
    report(steps, steps)
    return whole.centres


def _lifted(rows: NDArray[np.float32], labels: NDArray[np.int32], k: int, seed: int) -> NDArray[np.float32]:
    """(N, D), (N,) -> (k, D) the unit mean of each cluster, or where it is empty a row chosen by k-means++."""
    total = np.zeros((k, rows.shape[1]), np.float32)
    np.add.at(total, labels, rows)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    if (length > 0).all():
        return total / length
    instead = plus_plus(rows, k, np.random.default_rng(seed))
    return np.where(length > 0, total / np.maximum(length, np.finfo(np.float32).tiny), instead)


def assign(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(N, D), (K, D) -> (N,) nearest centre by cosine and (N,) that cosine, for every row."""
    index = _inner_product_index(centres.shape[1])
    index.add(centres)
    similarity, nearest = index.search(vectors, 1)
    return nearest[:, 0].astype(np.int32), similarity[:, 0]


def plus_plus(vectors: NDArray[np.float32], k: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(N, D) -> (k, D) rows chosen by greedy k-means++: far from each other, and good for all."""
    pool = sample(vectors, max(SEEDING_SAMPLE, 4 * k), rng)
    trials = 2 + int(np.log(k))
    chosen = [int(rng.integers(len(pool)))]
    distance = _distances(pool, chosen)[:, 0]
    while len(chosen) < k:
        mass = np.cumsum(distance, dtype=np.float64)
        candidates = np.searchsorted(mass, rng.random(trials) * mass[-1]).clip(max=len(pool) - 1)
        after = np.minimum(distance[:, None], _distances(pool, candidates))
        winner = int(after.sum(axis=0, dtype=np.float64).argmin())
        chosen.append(int(candidates[winner]))
        distance = after[:, winner]
    return pool[chosen]


def sample(vectors: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(N, D) -> (min(N, size), D) rows drawn without replacement, in their own order; all of them when they fit."""
    if len(vectors) <= size:
        return vectors
    return vectors[np.sort(rng.choice(len(vectors), size, replace=False))]


def _distances(pool: NDArray[np.float32], rows: Any) -> NDArray[np.float32]:
    return np.maximum(0, 1 - pool @ pool[rows].T)


class _Run:
    """One run: centres (k, D), moved one Lloyd iteration at a time."""

    def __init__(self, vectors: NDArray[np.float32], centres: NDArray[np.float32], seed: int) -> None:
        self.vectors, self.centres, self.objective = vectors, centres, -np.inf
        self.options = _options(len(vectors), len(centres), seed)
        self.index = _inner_product_index(vectors.shape[1])

    def converge(self, iterations: int, done: int, total: int, report: Progress, converged: float = CONVERGED) -> _Run:
        """Iterate until the objective settles; `done` of `total` steps lie behind."""
        for iteration in range(iterations):
            report(done + iteration, total)
            if self._step() <= converged * abs(self.objective):
                break
        return self

    def _step(self) -> float:
        """One iteration; by how much the objective (sum of cosines) has risen."""
        import faiss

        clustering = faiss.Clustering(self.vectors.shape[1], len(self.centres), self.options)
        faiss.copy_array_to_vector(self.centres.ravel(), clustering.centroids)
        self.index.reset()
        clustering.train(self.vectors, self.index)
        before, self.objective = self.objective, float(clustering.iteration_stats.at(0).obj)
        self.centres = faiss.vector_float_to_array(clustering.centroids).reshape(self.centres.shape)
        return self.objective - before


def _options(rows: int, k: int, seed: int) -> Any:
    import faiss

    options = faiss.ClusteringParameters()
    options.niter = 1
    options.spherical = True
    options.seed = seed & 0x7FFFFFFF  # FAISS takes an int and seeds from the clock when it is negative
    options.min_points_per_centroid = 1  # no warning on standard error for small collections
    options.max_points_per_centroid = rows // k + 1  # the default, 256, silently trains on a sample
    return options


def _inner_product_index(dim: int) -> Any:
    """A flat inner-product index, on every GPU when FAISS sees one."""
    import faiss

    index = faiss.IndexFlatIP(dim)
    return faiss.index_cpu_to_all_gpus(index) if faiss.get_num_gpus() > 0 else index
