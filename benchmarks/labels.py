"""Names that spread: accuracy, calibration, what is unknown, and the review queue beside random order.

python -m benchmarks.labels closed tuned opened review       # writes these tables of benchmarks/labels.md

The labels, names of folders, give the names and measure the rest. Pictures are in $ROOST_DATA or ../shared/data; they
are embedded as `roost cluster` embeds them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.results import Results, table
from models.encoders.base import Encoder
from models.labels.calibration import calibration_error
from models.labels.given import Given
from models.labels.spreading import Spreading

GALLERIES = {"birds": "birds/images", "lands": "lands", "pets": "pets/images"}
NAMES = (1, 5, 20)
SEEDS = range(5)
LEFT_OUT = 4  # one label in four is named by nobody, where the unknown are looked for
ANSWERS = (20, 50, 100)
ROUND = 10  # answers between two spreadings
PAGE = Path(__file__).with_suffix(".md")
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Gallery:
    vectors: NDArray[np.float32]
    codes: Rows

    @property
    def labels(self) -> int:
        return int(self.codes.max()) + 1

    def spread(self, rows: Rows, known: Rows, seed: int) -> Spreading:
        """Names given to `rows`, whose labels are among `known`."""
        codes = np.searchsorted(known, self.codes[rows])
        return Spreading(self.vectors, Given(rows, codes, np.ones(len(rows)), len(known)), len(self.codes), seed)

    def draw(self, names: int, known: Rows, rng: np.random.Generator) -> Rows:
        """`names` random images of each label."""
        return np.concatenate([rng.permutation(np.flatnonzero(self.codes == code))[:names] for code in known])


def embedded(folder: Path, encoder: Encoder | None = None) -> Gallery:
    """By efficientnet-lite0 unless another one is given."""
    from rich.console import Console

    from app.folder import gallery, labels
    from app.folder.scan import pictures
    from app.folder.stages import Stages
    from models import registry

    with TemporaryDirectory() as scratch, Stages(Console(quiet=True)) as stages:
        encoder = encoder or registry.load("encoders", "efficientnet-lite0")
        found = gallery.read(folder, pictures(folder, folder / "none"), Path(scratch), encoder, "cpu", stages)
    truth = labels.read("folders", found.names)
    return Gallery(found.vectors, np.unique([truth[name] for name in found.names], return_inverse=True)[1])


def tuned(folder: Path) -> Gallery:
    """By the encoder that `roost finetune`, with its defaults and without labels, makes of that very gallery."""
    from models.encoders.finetuned import FinetunedEncoder

    with TemporaryDirectory() as out:
        command = [sys.executable, "-m", "app.cli", "finetune", str(folder), "--out", out, "--json"]
        subprocess.run(command, check=True, capture_output=True)
        return embedded(folder, FinetunedEncoder.open(Path(out, "encoder")))


def closed(gallery: Gallery, names: int, seed: int) -> tuple[float, ...]:
    """Every label is named: accuracy and calibration error of the others, and the accuracy that was foretold."""
    known = np.arange(gallery.labels)
    rows = gallery.draw(names, known, np.random.default_rng(seed))
    found = gallery.spread(rows, known, seed)
    rest = np.setdiff1d(np.arange(len(gallery.codes)), rows)
    probabilities = found.calibration.probabilities(found.learnt.likelihood(found.learner.sample[rest]))
    right = found.sample.codes[rest] == gallery.codes[rest]
    estimate = found.calibration.estimate
    return (
        float(right.mean()),
        calibration_error(probabilities, gallery.codes[rest]),
        estimate.accuracy if estimate else float("nan"),
    )


def opened(gallery: Gallery, names: int, seed: int) -> tuple[float, ...]:
    """Some labels are not named: AUROC of finding their images, and the share of them and of others called new."""
    rng = np.random.default_rng(seed)
    known = np.sort(rng.permutation(gallery.labels)[max(1, gallery.labels // LEFT_OUT) :])
    rows = gallery.draw(names, known, rng)
    found = gallery.spread(rows, known, seed)
    rest = np.setdiff1d(np.arange(len(gallery.codes)), rows)
    strange, new = ~np.isin(gallery.codes[rest], known), found.sample.new[rest]
    return roc_auc_score(strange, -found.learnt.reach[rest]), float(new[strange].mean()), float(new[~strange].mean())


def reviewed(gallery: Gallery, seed: int, *, queue: bool) -> tuple[float, ...]:
    """One name a label, then answers by the queue or at random: accuracy over all images after some answers."""
    known, rng = np.arange(gallery.labels), np.random.default_rng(seed)
    first = gallery.draw(1, known, rng)
    rows, order, after = first, rng.permutation(len(gallery.codes)), []
    for answers in sorted({*range(0, max(ANSWERS), ROUND), *ANSWERS}) if queue else (0, *ANSWERS):
        rows = np.concatenate([rows, order[~np.isin(order, rows)][: len(first) + answers - len(rows)]])
        found = gallery.spread(rows, known, seed).sample
        if queue:
            order = np.argsort(-found.worth, kind="stable")
        if answers in (0, *ANSWERS):
            after.append(float((found.codes == gallery.codes).mean()))
    return tuple(after)


def means(measure: Callable[[int], tuple[float, ...]]) -> list[str]:
    """Over the seeds: the mean of each figure, and the spread of the first."""
    figures = np.array([measure(seed) for seed in SEEDS])
    average = figures.mean(axis=0)
    first = f"{average[0]:.3f} ± {figures[:, 0].std():.3f}"
    return [first, *("-" if np.isnan(one) else f"{one:.3f}" for one in average[1:])]


def parts(folders: dict[str, Path], galleries: dict[str, Gallery]) -> dict[str, tuple[list[str], Iterator[list[str]]]]:
    """Each table's head and its rows, which are measured when they are asked for."""
    cases = [(name, gallery, names) for name, gallery in galleries.items() for names in NAMES]
    orders = [(name, gallery, order) for name, gallery in galleries.items() for order in ("queue", "random")]
    return {
        "closed": (
            ["gallery", "names a label", "accuracy", "ECE", "accuracy foretold"],
            ([name, str(m), *means(partial(closed, g, m))] for name, g, m in cases),
        ),
        "tuned": (
            ["gallery", "names a label", "accuracy", "ECE", "accuracy foretold"],
            ([name, "5", *means(partial(closed, tuned(folder), 5))] for name, folder in folders.items()),
        ),
        "opened": (
            ["gallery", "names a label", "AUROC", "unnamed kinds called new", "named kinds called new"],
            ([name, str(m), *means(partial(opened, g, m))] for name, g, m in cases),
        ),
        "review": (
            ["gallery", "order", "before", *(f"after {answers}" for answers in ANSWERS)],
            ([name, order, *means(partial(reviewed, g, queue=order == "queue"))] for name, g, order in orders),
        ),
    }


def main() -> None:
    data = Path(os.environ.get("ROOST_DATA", "../shared/data"))
    folders = {name: (data / path).resolve() for name, path in GALLERIES.items()}
    measured = parts(folders, {name: embedded(folder) for name, folder in folders.items()})
    for part in sys.argv[1:] or list(measured):
        head, rows = measured[part]
        print(text := table(head, list(rows)), flush=True)
        Results(PAGE.with_suffix(".jsonl"), PAGE).show(part, text)


if __name__ == "__main__":
    main()
