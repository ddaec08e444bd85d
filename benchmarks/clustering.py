"""Clustering algorithms side by side on real galleries, and k-means beside scikit-learn's.

    python -m benchmarks.clustering algorithms [NAME ...]
    python -m benchmarks.clustering kmeans [--rounds 3]
    OMP_NUM_THREADS=2 python -m benchmarks.clustering tree [--images 1000000]

The pictures are those of $ROOST_DATA or ../shared/data. A row that stands in --results is not measured again.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import mean, median, stdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Results, Row, table

GALLERIES = ("birds", "lands", "pets", "cifar10")
FOLDERS = {"birds": "birds/images", "lands": "lands", "pets": "pets/images"}
ARCHIVE, TEST = "cifar10-12k.tar.gz", "cifar10/test"  # 2,000 pictures
PLAIN = "kmeans, one start"
SEEDS = range(5)
ROWS, DIM, CLUSTERS = 200_000, 256, 500


def algorithms(names: list[str], results: Results) -> None:
    from models import registry

    every = [PLAIN, *registry.names("clustering")]
    for name in names or every:
        for gallery in GALLERIES:
            results.measured(partial(on_gallery, name, gallery), part="algorithms", name=name, gallery=gallery)
        rows = {one: [*map(partial(found_row, results, one), GALLERIES)] for one in every}
        whole = {one: cells for one, cells in rows.items() if all(cells)}
        lines = [line(one, cells, whole) for one, cells in whole.items()]
        text = table(["algorithm", *GALLERIES, "mean", f"over {PLAIN}", "over kmeans", "seconds"], lines)
        print(text, flush=True)
        results.show("algorithms", text)


def found_row(results: Results, name: str, gallery: str) -> Row | None:
    return next(iter(results.rows(part="algorithms", name=name, gallery=gallery)), None)


def on_gallery(name: str, gallery: str) -> Row:
    """NMI and seconds of five seeds with the true k, or with the algorithm's own where it takes none."""
    from models import registry
    from models.evaluation.labelled import score

    vectors, labels = embedded(gallery)
    algorithm = registry.load("clustering", "kmeans" if name == PLAIN else name)
    params = algorithm.Params(**({"restarts": 1} if name == PLAIN else {}))
    k: Any = len(set(labels)) if algorithm.takes_k else "auto"
    algorithm.cluster(vectors, k, params, 0)  # the first run of a process imports and compiles
    nmi, seconds = [], []
    for seed in SEEDS:
        started = time.perf_counter()
        found = algorithm.cluster(vectors, k, params, seed)
        seconds.append(time.perf_counter() - started)
        nmi.append(score(found.labels.tolist(), labels)["nmi"])
    return {"nmi": nmi, "seconds": seconds, "k": int(found.k), "images": len(labels)}


def line(name: str, cells: list[Row], every: dict[str, list[Row]]) -> list[str]:
    """NMI as mean and standard deviation of the seeds."""

    def overall(one: str) -> float:
        return mean(mean(row["nmi"]) for row in every[one])

    def gain(other: str) -> str:
        return f"{overall(name) - overall(other):+.3f}" if other in every and other != name else ""

    return [
        name,
        *(f"{mean(row['nmi']):.3f} ± {stdev(row['nmi']):.3f}" for row in cells),
        f"{overall(name):.3f}",
        gain(PLAIN),
        gain("kmeans"),
        f"{min(map(time_of, cells)):.1f} to {max(map(time_of, cells)):.1f}",
    ]


def time_of(row: Row) -> float:
    return float(median(row["seconds"]))


@cache
def embedded(gallery: str) -> tuple[NDArray[np.float32], list[str]]:
    """(N, D) vectors by efficientnet-lite0 as `roost cluster` makes them, and N names of folders."""
    from rich.console import Console

    from app.folder import gallery as galleries
    from app.folder.scan import some_pictures
    from app.folder.stages import Stages
    from models import registry

    data = Path(os.environ.get("ROOST_DATA", "../shared/data"))
    with TemporaryDirectory(prefix="roost-clustering-") as scratch:
        folder = data / FOLDERS[gallery] if gallery in FOLDERS else unpacked(data / ARCHIVE, Path(scratch))
        encoder = registry.load("encoders", "efficientnet-lite0")
        with Stages(Console(quiet=True)) as stages:
            read = galleries.read(
                folder, some_pictures(folder, Path(scratch)), Path(scratch, "copies"), encoder, "cpu", stages
            )
    return read.vectors, [name.split("/")[0] for name in read.names]


def unpacked(archive: Path, scratch: Path) -> Path:
    with tarfile.open(archive) as tar:
        members = [one for one in tar if one.name.startswith(f"{TEST}/")]
        tar.extractall(scratch, members, filter="data")
    return scratch / TEST


def kmeans(rounds: int, results: Results) -> None:
    """In turns, each as it comes but for one start and equally many iterations; inertia on all rows."""
    results.measured(partial(beside_scikit_learn, rounds), part="kmeans")
    row = results.rows(part="kmeans")[-1]
    ours = row["kmeans"]
    lines = [
        [name, f"{median(one['seconds']):.1f}", f"{median(one['inertia']) / median(ours['inertia']):.4f}",
         f"{median(theirs / own for theirs, own in zip(one['seconds'], ours['seconds'], strict=True)):.1f}"]
        for name, one in row.items() if name != "part"
    ]  # fmt: skip
    text = table(["", "seconds", "inertia", "times as long as kmeans"], lines)
    print(text, flush=True)
    results.show("kmeans", text)


def beside_scikit_learn(rounds: int) -> Row:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    from models import registry
    from models.clustering.kmeans import Params

    vectors = mixture(ROWS)
    contestants: dict[str, Callable[[int], NDArray[Any]]] = {
        "kmeans": lambda seed: (
            registry.load("clustering", "kmeans").cluster(vectors, CLUSTERS, Params(restarts=1), seed).labels
        ),
        "scikit-learn KMeans": lambda seed: KMeans(CLUSTERS, n_init=1, random_state=seed).fit(vectors).labels_,
        "scikit-learn MiniBatchKMeans": lambda seed: (
            MiniBatchKMeans(CLUSTERS, n_init=1, random_state=seed).fit(vectors).labels_
        ),
    }
    found: Row = {name: {"seconds": [], "inertia": []} for name in contestants}
    for seed in range(rounds):
        for name, work in list(contestants.items())[:: -1 if seed % 2 else 1]:
            started = time.perf_counter()
            labels = work(seed)
            found[name]["seconds"].append(time.perf_counter() - started)
            found[name]["inertia"].append(inertia(vectors, labels))
    return found


def inertia(vectors: NDArray[np.float32], labels: NDArray[Any]) -> float:
    """Sum of squared distances to the means."""
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    counts = np.maximum(np.bincount(labels, minlength=len(sums)), 1)
    return float((vectors.astype(np.float64) ** 2).sum() - ((sums**2).sum(axis=1) / counts).sum())


def mixture(rows: int) -> NDArray[np.float32]:
    from benchmarks.scale_index import Mixture

    vectors = np.empty((rows, DIM), np.float32)
    start = 0
    for _, block in Mixture().blocks(rows):  # drawn at once they would need five times the memory
        vectors[start : start + len(block)] = block
        start += len(block)
    return vectors


def tree(images: int) -> None:
    """Clusters to a tree, its cuts, and the memory that took."""
    import resource

    from models import registry
    from models.clustering.tree import cut

    vectors = mixture(images)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.perf_counter()
    found = registry.load("clustering", "agglomerative").cluster(vectors, 100)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.perf_counter()
    cut(found.tree.merges, len(found.tree.merges) + 1, 50)
    print(
        f"{images} images, {len(found.tree.merges) + 1} leaves: {seconds:.0f} s; at most {peak:.1f} GB resident, "
        f"{before:.1f} with the vectors alone; a cut {1000 * (time.perf_counter() - started):.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("algorithms", "kmeans", "tree"))
    parser.add_argument("names", nargs="*", help="algorithms, instead of all")
    parser.add_argument("--rounds", type=int, default=3, help="of kmeans")
    parser.add_argument("--images", type=int, default=1_000_000, help="of tree")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/clustering.jsonl"))
    parser.add_argument("--report", type=Path, default=Path("benchmarks/clustering.md"))
    options = parser.parse_args()
    results = Results(options.results, options.report)
    if options.part == "algorithms":
        algorithms(options.names, results)
    elif options.part == "kmeans":
        kmeans(options.rounds, results)
    else:
        tree(options.images)


if __name__ == "__main__":
    main()
