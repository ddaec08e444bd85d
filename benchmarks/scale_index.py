"""Indexes at several sizes, in one process: time to build, memory, recall, and latency of one query.

OMP_NUM_THREADS=1 python -m benchmarks.scale_index exact:50000 ivf:50000 ivf:1000000
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from models import registry
from models.clustering.unit_vectors import unit_rows
from models.index import open_index
from models.index.base import Block, Index
from models.index.rows import VECTORS
from models.index.scan import nearest

DIM, GROUPS, LATENT, BLOCK = 256, 4000, 12, 20_000
QUERIES, COMPARED = 2000, 200  # timed; of them compared with all vectors


class Mixture:
    """Groups of Zipf-like sizes in families of twenty, each spread in twelve directions of its own, and some noise."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        families = rng.standard_normal((GROUPS // 20, DIM), np.float32)
        self.centres = families[np.arange(GROUPS) % len(families)] + 0.7 * rng.standard_normal(
            (GROUPS, DIM), np.float32
        )
        self.axes = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0].astype(np.float32)
        self.own = np.stack([rng.choice(DIM, LATENT, replace=False) for _ in range(GROUPS)])
        weights = 1 / np.arange(1, GROUPS + 1) ** 0.5
        self.share = weights / weights.sum()

    def draw(self, count: int, seed: int) -> NDArray[np.float32]:
        """(count, DIM) unit rows."""
        rng = np.random.default_rng(seed)
        group = rng.choice(GROUPS, count, p=self.share)
        inside = np.zeros((count, DIM), np.float32)
        np.put_along_axis(inside, self.own[group], 3 * rng.standard_normal((count, LATENT), np.float32), axis=1)
        noise = 0.3 * rng.standard_normal((count, DIM), np.float32)
        return unit_rows(self.centres[group] + inside @ self.axes + noise)

    def blocks(self, count: int) -> Iterator[Block]:
        for start in range(0, count, BLOCK):
            size = min(BLOCK, count - start)
            ids = np.zeros((size, 16), np.uint8)
            ids[:, 8:] = np.arange(start, start + size, dtype=">u8").view(np.uint8).reshape(-1, 8)
            yield ids, self.draw(size, start + 1)


class Peak:
    """The largest resident memory of this process in MB, with and without the files it has mapped."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.all = self.own = 0.0

    def look(self, *_: object) -> None:
        info = self.process.memory_info()
        self.all = max(self.all, info.rss / 2**20)
        self.own = max(self.own, (info.rss - info.shared) / 2**20)


def measure(kind: str, count: int, mixture: Mixture, folder: Path) -> dict[str, float]:
    peak, drawn = Peak(), 0.0

    def blocks() -> Iterator[Block]:
        nonlocal drawn
        rest = mixture.blocks(count)
        while True:
            started = time.perf_counter()
            block = next(rest, None)
            drawn += time.perf_counter() - started
            peak.look()
            if block is None:
                return
            yield block

    started = time.perf_counter()
    manifest = registry.load("index", kind).build(blocks(), folder, progress=peak.look)
    peak.look()
    seconds = time.perf_counter() - started - drawn
    about = manifest.extra.get("ivf", {})
    return {
        "build, s": seconds,
        "MB, peak": peak.all,
        "MB, without mapped files": peak.own,
        "MB on disk": sum(file.bytes for file in manifest.files.values()) / 2**20,
        "lists": about.get("lists", 0),
        "lists visited": about.get("probes", 0),
        "recall@10, as built": about.get("recall_at_10", 1),
        **_searched(open_index(folder), mixture.draw(QUERIES, 10**9), folder),
    }


def _searched(index: Index, queries: NDArray[np.float32], folder: Path) -> dict[str, float]:
    """Queries that are not in the index, one at a time, on warm files."""
    vectors = np.fromfile(folder / VECTORS, "<f4").reshape(len(index), -1)
    truth = nearest(vectors, queries[:COMPARED], 10)[0]
    del vectors
    times, found = [], []
    for query in np.concatenate([queries, queries]):  # the first round warms up
        started = time.perf_counter()
        found.append(index.search(query[None], 10)[0][0])
        times.append(1000 * (time.perf_counter() - started))
    hits = np.stack(found[:COMPARED]) >= truth[:, -1:] - 1e-6
    median, slow = np.percentile(times[QUERIES:], [50, 99])
    return {"recall@10, new queries": float(hits.mean()), "one query, median ms": median, "one query, p99 ms": slow}


def main() -> None:
    mixture, results = Mixture(), []
    wanted = [one.split(":") for one in sys.argv[1:] or ("exact:50000", "ivf:50000", "ivf:1000000")]
    for kind, count in wanted:
        with tempfile.TemporaryDirectory(prefix="roost-index-", dir=os.environ.get("TMPDIR")) as folder:
            results.append(measure(kind, int(count), mixture, Path(folder, "index")))
        print(kind, count, {name: round(value, 3) for name, value in results[-1].items()}, file=sys.stderr, flush=True)
    print("| | " + " | ".join(f"{int(count):,} {kind}" for kind, count in wanted) + " |")
    print("| --- |" + " --- |" * len(wanted))
    for name in results[0]:
        print(f"| {name} | " + " | ".join(f"{result[name]:.3g}" for result in results) + " |")


if __name__ == "__main__":
    main()
