"""Every method from scratch, equally long, beside the same network untrained and one that was told the labels."""

from __future__ import annotations

from functools import partial

from benchmarks.results import Results, Row, change, percent, table
from benchmarks.ssl.cifar import Cifar
from benchmarks.ssl.probe import probe
from benchmarks.ssl.recipes import RECIPES, Recipe, build, encoder
from benchmarks.ssl.training import train
from models.ssl.health import Record

HEAD = ["method", "loss", "accuracy", "epochs", "images/s", "kNN", "linear", "spread"]


def run(names: list[str], minutes: float, data: Cifar, workers: int, results: Results) -> None:
    """names: of recipes or of methods; none: all. Each row is shown as soon as it is measured."""
    unknown = set(names) - {known for recipe in RECIPES for known in (recipe.name, recipe.method)}
    if unknown:
        raise SystemExit(f"no such method: {', '.join(sorted(unknown))}")
    for recipe in RECIPES:
        if names and recipe.name not in names and recipe.method not in names:
            continue
        row = results.measured(
            partial(measure, recipe, minutes, data, workers),
            part="methods", name=recipe.name, minutes=minutes,
        )  # fmt: skip
        print(table(HEAD, [cells(row, row)]), flush=True)
        results.show("methods", whole_table(results.rows(part="methods", minutes=minutes), minutes))


def measure(recipe: Recipe, minutes: float, data: Cifar, workers: int) -> Row:
    if recipe.method is None:
        return {"vit": recipe.vit, **probe(encoder(recipe.vit), data)}
    method = build(recipe.method, data, recipe.vit, **recipe.params, max_minutes=minutes)
    return {"vit": recipe.vit, "params": recipe.params, **train(method, data, workers)}


def whole_table(rows: list[Row], minutes: float) -> str:
    order = {recipe.name: place for place, recipe in enumerate(RECIPES)}
    rows = sorted(rows, key=lambda row: order[row["name"]])
    untrained = {row["vit"]: row for row in rows if "params" not in row}
    return f"{minutes:g} minutes each.\n\n" + table(HEAD, [cells(row, untrained.get(row["vit"], row)) for row in rows])


def cells(row: Row, untrained: Row) -> list[str]:
    history = row.get("history", [])
    gain = f" ({100 * (row['knn'] - untrained['knn']):+.1f})" if row is not untrained else ""
    trained = "steps" in row
    name = row["name"] + (f", {row['ended']}" if row.get("ended") not in (None, "budget", "epochs") else "")
    return [
        name,
        change(*ends([loss(one) for one in history[1:]])),
        change(*ends([one.get("accuracy") for one in history[1:]])),
        f"{row['epochs']:.1f}" if trained else "-",
        f"{row['images_per_s']:.0f}" if trained else "-",
        percent(row["knn"]) + gain,
        percent(row["linear"]),
        change(history[0]["spread"], history[-1]["spread"], 2) if history else f"{row['spread']:.2f}",
    ]


def loss(record: Record) -> float | None:
    """DINO's without the entropy of its targets, which the student cannot change."""
    value = record["loss"]
    return None if value is None else value - (record.get("entropy") or 0.0)


def ends(values: list[float | None]) -> tuple[float | None, float | None]:
    return (values[0], values[-1]) if values else (None, None)
