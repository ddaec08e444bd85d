"""One training by the project's own loop, and what came of it."""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.results import Row
from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.probe import probe
from models.ssl.base import Method
from models.ssl.fit import Diverged, Progress, fit
from models.ssl.health import Collapsed, Record


def train(method: Method, data: Cifar, workers: int, labels: bool = False) -> Row:
    """Trains it from scratch; a collapse and a loss that is no number are results too.

    labels  whether the health of each epoch is compared with them
    """
    progress = Progress("train", 0, 0, 0, 0)
    history: list[Record] = []
    started = time.perf_counter()

    def report(now: Progress) -> None:
        nonlocal progress
        if now.epoch != progress.epoch:
            print(f"  epoch {now.epoch}, step {now.done} of {now.total}", file=sys.stderr, flush=True)
        progress = now

    outcome: dict[str, Any] = {}
    try:
        result = fit(method, data.train, workers=workers, report=report, labels=data.train_labels if labels else None)
        history, outcome = result.history, {"ended": result.ended}
    except (Collapsed, Diverged) as error:
        outcome = {"ended": error.code}
    seconds = time.perf_counter() - started
    images = progress.done * method.params.batch_size
    return {
        **outcome,
        "seconds": seconds,
        "steps": progress.done,
        "epochs": images / len(data.train),
        "images_per_s": images / seconds,
        "history": history,
        **probe(method.trained(), data),
    }
