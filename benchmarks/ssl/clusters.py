"""DeepCluster's three curves: clusters against labels, clusters against the epoch before, and the influence of k."""

from __future__ import annotations

from functools import partial

from benchmarks.results import Results, Row, percent, table
from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.recipes import build
from benchmarks.ssl.training import train

HEAD = ["k", "epochs", "NMI with labels, by epoch", "NMI(t, t-1), by epoch", "largest imbalance", "kNN", "linear"]


def run(every_k: list[int], minutes: float, data: Cifar, workers: int, results: Results) -> None:
    for k in every_k:
        results.measured(
            partial(measure, k, minutes, data, workers), part="clusters", k=k, minutes=minutes,
        )  # fmt: skip
        rows = sorted(results.rows(part="clusters", minutes=minutes), key=lambda row: row["k"])
        text = table(HEAD, [cells(row) for row in rows])
        print(text, flush=True)
        results.show("clusters", f"{minutes:g} minutes each.\n\n{text}")


def measure(k: int, minutes: float, data: Cifar, workers: int) -> Row:
    return train(build("deepcluster", data, k=k, head="random", max_minutes=minutes), data, workers, labels=True)


def cells(row: Row) -> list[str]:
    """The first entry of NMI(t, t-1) compares the second epoch's clusters with the first's."""
    history = row["history"][1:]
    return [
        str(row["k"]),
        f"{row['epochs']:.1f}",
        " ".join(f"{one['nmi_labels']:.3f}" for one in history),
        " ".join(f"{one['nmi_prev']:.3f}" for one in history[1:]),
        f"{max(one['imbalance'] for one in history):.2f}",
        percent(row["knn"]),
        percent(row["linear"]),
    ]
