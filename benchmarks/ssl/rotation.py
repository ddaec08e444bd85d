"""How many angles teach most: all four sets of the rotation method, equally many steps, beside the paper's figures."""

from __future__ import annotations

from functools import partial

from benchmarks.results import Results, Row, change, percent, table
from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.recipes import build
from benchmarks.ssl.training import train
from models.ssl.methods.rotation import ANGLES

PAPER = {"quarters": 89.06, "eighths": 88.51, "halves": 87.46, "sideways": 85.52}
HEAD = ["angles", "steps", "loss", "accuracy", "chance", "kNN", "linear", "the paper's, NIN, all labels"]
IMAGES = 64  # a step, each in every angle


def run(epochs: int, data: Cifar, workers: int, results: Results) -> None:
    for angles in PAPER:
        results.measured(
            partial(measure, angles, epochs, data, workers),
            part="rotation", name=angles, epochs_planned=epochs,
        )  # fmt: skip
        rows = results.rows(part="rotation", epochs_planned=epochs)
        text = table(HEAD, [cells(row) for row in sorted(rows, key=lambda row: -PAPER[row["name"]])])
        print(text, flush=True)
        results.show("rotation", f"{epochs} epoch{'s' if epochs > 1 else ''} each.\n\n{text}")


def measure(angles: str, epochs: int, data: Cifar, workers: int) -> Row:
    method = build("rotation", data, angles=angles, epochs=epochs, batch_size=IMAGES, max_minutes=None)
    return train(method, data, workers)


def cells(row: Row) -> list[str]:
    history = row["history"][1:]
    degrees = ", ".join(str(angle) for angle in ANGLES[row["name"]])
    return [
        degrees,
        str(row["steps"]),
        change(history[0]["loss"], history[-1]["loss"]),
        change(history[0]["accuracy"], history[-1]["accuracy"]),
        f"{1 / len(ANGLES[row['name']]):.3f}",
        percent(row["knn"]),
        percent(row["linear"]),
        f"{PAPER[row['name']]:.2f}",
    ]
