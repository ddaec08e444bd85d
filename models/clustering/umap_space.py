"""A space of few dimensions in which groups that hang together lie tight and apart: UMAP for clustering.

McInnes, Healy and Melville 2018 (https://arxiv.org/abs/1802.03426); 30 neighbours, min_dist 0 and more than two
dimensions as its authors advise before clustering. It starts from principal directions and not from the graph's
spectrum, which can fail and is slow where the graph falls into parts, and ends as well; rounds beyond 200 gain
nothing. NMI of Ward on it with the true k, seeds 0 and 1, efficientnet-lite0:

                            birds        lands        pets         CIFAR-10
    principal, 200 rounds   .812, .795   .691, .693   .768, .771   .392, .390
    principal, 500 rounds   .788, .797   .680, .662   .768, .771   .387, .392
    spectrum, 200 rounds    .796, .797   .637, .688   .768, .768
    spectrum, 500 rounds    .797, .797   .661, .670   .771, .768   .396, .378
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress
from models.clustering.neighbour_graph import Neighbours, nearest
from models.clustering.principal import principal
from models.clustering.stages import stages

SMALLEST = 16  # with fewer images there is no local structure to lay out: they stay where they are
ROUNDS = 200
EXTENT, NOISE = 10.0, 1e-4  # of the start: the scale that UMAP gives its own
MIN_DIST, SPREAD = 0.0, 1.0
REPULSION, NEGATIVES, RATE = 1.0, 5, 1.0  # UMAP's own defaults


def umap_space(
    rows: NDArray[np.float32], seed: int, *, neighbours: int = 30, dim: int = 20, progress: Progress | None = None
) -> NDArray[np.float32]:
    """(M, D) distinct unit rows -> (M, min(dim, D, M)) coordinates for Euclidean distances; below SMALLEST the rows.

    On one thread, so that the same seed gives the same bits; the first run of a process compiles for some seconds.
    """
    searching, laying = stages(progress, 1, 6)
    if len(rows) < SMALLEST:
        laying(1, 1)
        return rows
    found = nearest(rows, min(neighbours, len(rows) - 1) - 1, searching)
    return _layout(rows, found, _start(rows, dim, seed), seed, laying)


def _start(rows: NDArray[np.float32], dim: int, seed: int) -> NDArray[np.float32]:
    """(M, D) -> (M, d) principal coordinates around 0, no two alike."""
    start = principal(rows, dim, seed)
    start = start - start.mean(axis=0)
    noise = np.random.default_rng(seed).normal(scale=NOISE, size=start.shape)
    return np.asarray(start * (EXTENT / max(float(np.abs(start).max()), NOISE)) + noise, np.float32)


def _layout(
    rows: NDArray[np.float32], found: Neighbours, start: NDArray[np.float32], seed: int, progress: Progress
) -> NDArray[np.float32]:
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding

    random = np.random.RandomState(seed % 2**32)  # what UMAP takes
    own = np.arange(len(rows))[:, None]
    indices = np.concatenate([own, found[0]], axis=1)
    distances = np.concatenate([np.zeros_like(own, np.float32), 1 - found[1]], axis=1)
    graph, _, _, _ = fuzzy_simplicial_set(
        rows, indices.shape[1], random, "cosine", knn_indices=indices, knn_dists=distances, return_dists=False
    )
    a, b = find_ab_params(SPREAD, MIN_DIST)
    coordinates, _ = simplicial_set_embedding(
        rows,
        graph,
        n_components=start.shape[1],
        initial_alpha=RATE,
        a=a,
        b=b,
        gamma=REPULSION,
        negative_sample_rate=NEGATIVES,
        n_epochs=ROUNDS,
        init=start,
        random_state=random,
        metric="cosine",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        tqdm_kwds={"disable": False, "file": _Rounds(progress), "bar_format": "{n_fmt}", "mininterval": 0},
    )
    progress(1, 1)
    return np.asarray(coordinates, np.float32)


class _Rounds(io.TextIOBase):
    """What UMAP's progress bar writes to: the number of rounds done, which is the only sign of life it gives."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def write(self, text: str) -> int:
        if text.strip().isdigit():
            self.progress(int(text), ROUNDS)
        return len(text)
