"""Self-supervised training from scratch on CIFAR-10, and fine-tuning on galleries.

    python -m benchmarks.ssl methods [NAME ...] [--minutes 5]
    python -m benchmarks.ssl lightly [--steps 240]
    python -m benchmarks.ssl rotation [--epochs 2]
    python -m benchmarks.ssl clusters [--minutes 1] [--k 10 100 1000]
    python -m benchmarks.ssl galleries
    python -m benchmarks.ssl others
    python -m benchmarks.ssl hierarchy
    python -m benchmarks.ssl distillation
    python -m benchmarks.ssl all

The pictures are those of $ROOST_DATA or ../shared/data. A row that stands in --results is not measured again, so a
killed series goes on where it was; the tables of --report are written anew after each. To try something out, name
other files for both.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.results import Results
from benchmarks.ssl import against_lightly, cifar, clusters, galleries, methods, rotation

PARTS = ("methods", "lightly", "rotation", "clusters", "galleries", "others", "hierarchy", "distillation")


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    data, results = cifar.load(), Results(options.results, options.report)
    runs: dict[str, Callable[[], None]] = {
        "methods": lambda: methods.run(options.names, options.minutes or 5, data, options.workers, results),
        "lightly": lambda: against_lightly.run(options.steps, data, options.workers, results),
        "rotation": lambda: rotation.run(options.epochs, data, options.workers, results),
        "clusters": lambda: clusters.run(options.k, options.minutes or 1, data, options.workers, results),
        "galleries": lambda: galleries.run(results),
        "others": lambda: galleries.run_others(results),
        "hierarchy": lambda: galleries.run_hierarchy(results),
        "distillation": lambda: galleries.run_distillation(results),
    }
    for part in PARTS if options.part == "all" else (options.part,):
        runs[part]()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=(*PARTS, "all"))
    parser.add_argument("names", nargs="*", help="rows or methods, instead of all; only for methods")
    parser.add_argument("--minutes", type=float, help="of each training of methods (5) and clusters (1)")
    parser.add_argument("--steps", type=int, default=240, help="of lightly")
    parser.add_argument("--epochs", type=int, default=2, help="of rotation")
    parser.add_argument("--k", type=int, nargs="+", default=[10, 100, 1000], help="of clusters")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="that compute")
    parser.add_argument("--workers", type=int, default=2, help="processes that make views")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/ssl.jsonl"))
    parser.add_argument("--report", type=Path, default=Path("benchmarks/ssl.md"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
