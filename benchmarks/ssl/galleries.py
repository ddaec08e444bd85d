"""Fine-tuning on real galleries by the command people use, beside the frozen encoder; what the verdict says of it.

The labels, names of folders, only measure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import Results, Row, table

GALLERIES = {"lands": "lands", "birds": "birds/images", "pets": "pets/images"}
METHODS: dict[str, tuple[str, list[str]]] = {
    "neighbours": ("neighbours", []),
    "simclr": ("simclr", []),
    "byol": ("byol", []),
    "DIET": ("instance", ["parametric=true"]),
}
# What else can train a convolutional network; `hierarchy` and `distillation` have tables of their own.
OTHERS: dict[str, tuple[str, list[str]]] = {
    "moco": ("moco", []),
    "bank": ("instance", []),
    "dino": ("dino", []),
    "deepcluster": ("deepcluster", []),
    "swav": ("swav", []),
    "vicreg": ("vicreg", []),
    "rotation": ("rotation", []),
}
KINDS = {"lands": 7, "birds": 13, "pets": 3}  # what a person might know, who has labelled nothing
MINUTES = 10.0
CLEAR = 0.02  # of NMI: below, neither is better
HEAD = ["gallery", "method", "NMI", "kNN", "linear, 20%", "neighbours found", "verdict", "labels", "epochs", "seconds"]


def run(results: Results) -> None:
    for gallery in GALLERIES:
        for name, (method, params) in METHODS.items():
            _run(results, "galleries", gallery, name, method, params)


def run_others(results: Results) -> None:
    """Whether the verdict holds for methods that it was not made with."""
    for gallery in GALLERIES:
        for name, (method, params) in OTHERS.items():
            _run(results, "others", gallery, name, method, params)


def run_hierarchy(results: Results) -> None:
    """By one method: what it gains when the number of kinds is known."""
    for gallery, k in KINDS.items():
        _run(results, "hierarchy", gallery, "k auto", "hierarchy", [])
        _run(results, "hierarchy", gallery, f"k = {k}", "hierarchy", [f"k={k}"])


def run_distillation(results: Results) -> None:
    """The one that gains on the birds: on every gallery, and by other seeds."""
    for gallery in GALLERIES:
        for seed in (0, 1, 2):
            _run(results, "distillation", gallery, f"seed {seed}", "distillation", [f"seed={seed}"])


def _run(results: Results, part: str, gallery: str, name: str, method: str, params: list[str]) -> None:
    results.measured(partial(measure, gallery, method, params), part=part, gallery=gallery, name=name)
    rows = results.rows(part=part)
    results.show(part, f"{table(HEAD, [cells(row) for row in rows])}\n\n{agreement(rows)}")
    print(table(HEAD, [cells(rows[-1])]), flush=True)


def measure(gallery: str, method: str, params: list[str]) -> Row:
    data = Path(os.environ.get("ROOST_DATA", "../shared/data"))
    with TemporaryDirectory() as out:
        command = [
            sys.executable, "-m", "app.cli", "finetune", str(data / GALLERIES[gallery]), "--method", method, "--json",
            "--labels", "folders", "--out", out, "--max-minutes", str(MINUTES),
            *(part for param in params for part in ("--param", param)),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        epochs = json.loads((Path(out) / "training.json").read_text())["epochs"]
    return {**json.loads(done.stdout), "history": epochs}


def cells(row: Row) -> list[str]:
    frozen, tuned = row["frozen"], row["tuned"]
    return [
        row["gallery"],
        row["name"],
        *(f"{frozen[one]:.3f} -> {tuned[one]:.3f}" for one in ("nmi", "knn", "linear_20")),
        f"{100 * (row['neighbours']['tuned'] - row['neighbours']['frozen']):+.1f}",
        "tuned" if row["recommended"] else "frozen",
        better(row) or "-",
        f"{row['epochs']}, {pace(row):.1f} s each",
        f"{row['seconds']['total']:.0f}",
    ]


def better(row: Row) -> str | None:
    """What the labels say, if they say it clearly."""
    gain = row["tuned"]["nmi"] - row["frozen"]["nmi"]
    return None if abs(gain) <= CLEAR else "tuned" if gain > 0 else "frozen"


def pace(row: Row) -> float:
    """Seconds an epoch."""
    return float(sum(one["seconds"] for one in row["history"][1:]) / (len(row["history"]) - 1))


def agreement(rows: list[Row]) -> str:
    clear = [row for row in rows if better(row)]
    right = sum((better(row) == "tuned") == row["recommended"] for row in clear)
    return (
        f"The verdict agrees with the labels in {right} of the {len(clear)} whose NMI differs by over {CLEAR}; "
        f"{len(rows) - len(clear)} differ by less."
    )
