"""What the demo prints: the clusters against the truth, a search, the collection's numbers."""

import json
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table


def results(console: Console, found: dict[str, Any]) -> None:
    console.print(_clusters(found))
    _numbers(console, "Without labels", found["clustering"]["metrics"])
    if found["scores"]:
        _numbers(console, "Against the folders' names", found["scores"])
    console.print(_neighbours(found["neighbours"]))
    images = found["collection"]["images"]
    console.print(f"Collection: {images['ready']} ready, {images['rejected']} rejected, {images['pending']} pending; "
                  f"{found['collection']['bytes'] / 10**6:.1f} MB")  # fmt: skip
    for line in map(json.loads, found["report"]):
        if line["status"] in ("rejected", "duplicate"):
            reason = (
                f"{line['code']}: {line['detail']}" if line["status"] == "rejected" else "the same bytes as another"
            )
            console.print(f"  {line['name']} {line['status']} ({reason})", style="yellow", markup=False, soft_wrap=True)


def _clusters(found: dict[str, Any]) -> Table:
    clustering, labels = found["clustering"], found["labels"]
    table = Table(title=f"{clustering['images']} pictures in {clustering['k']} clusters", title_justify="left")
    for name in ("cluster", "pictures", "cohesion"):
        table.add_column(name, justify="right")
    table.add_column("most typical")
    if labels:
        table.add_column("mostly")
    for cluster in found["clusters"]:
        images = cluster["images"]
        row = [str(cluster["id"]), str(cluster["size"]), f"{cluster['cohesion']:.2f}", images[0]["name"]]
        if labels:
            label, count = Counter(labels.get(image["image_id"], "?") for image in images).most_common(1)[0]
            row.append(f"{label} ({100 * count // len(images)}%)")
        table.add_row(*row)
    return table


def _neighbours(search: dict[str, Any]) -> Table:
    table = Table(title=f"Most like {search['query']}", title_justify="left")
    table.add_column("cosine", justify="right")
    table.add_column("picture")
    for hit in search["hits"]:
        table.add_row(f"{hit['score']:.3f}", hit["name"])
    return table


def _numbers(console: Console, title: str, values: dict[str, Any]) -> None:
    numbers = ((name, value) for name, value in values.items() if isinstance(value, float))
    console.print(f"{title}: " + "  ".join(f"{name} {value:.3f}" for name, value in numbers), soft_wrap=True)
