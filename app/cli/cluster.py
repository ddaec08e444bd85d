"""roost cluster FOLDER"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from app.cli.failures import encoder_option, failing_clearly
from app.folder.stages import Stages
from models.registry import names


def cluster(
    folder: Annotated[Path, typer.Argument(help="The folder with pictures; folders in it are read too.")],
    k: Annotated[str, typer.Option("--k", help="How many clusters, or auto.")] = "auto",
    encoder: Annotated[
        str, typer.Option(help="An encoder's name, or a fine-tuned one's folder.")
    ] = "efficientnet-lite0",
    algorithm: Annotated[
        str, typer.Option(help=f"One of: {', '.join(names('clustering'))}; auto takes the truest, which is slower.")
    ] = "kmeans",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same clusters.")] = 0,
    labels: Annotated[
        str | None, typer.Option(help="folders, or a CSV with name,label: prints how well they agree.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; by default roost-out/FOLDER's name.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    folders: Annotated[
        bool, typer.Option("--folders", help="Also lay the pictures out by cluster in OUT/clusters, by hard links.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Sort a folder of pictures into clusters; writes clusters.csv and report.html.

    Example: roost cluster ~/Pictures/garden --k auto --labels folders
    """
    _check(folder, k, algorithm, device)
    found = encoder_option(encoder)
    from app.folder.run import Request, sort_folder

    target = (out or Path("roost-out") / folder.resolve().name).resolve()
    wanted: int | Literal["auto"] = "auto" if k == "auto" else int(k)
    request = Request(folder.resolve(), target, found, algorithm, wanted, seed, labels, device, folders)
    console = Console(stderr=as_json, quiet=as_json)
    with failing_clearly("cluster"), Stages(console) as stages:
        result = sort_folder(request, stages)
    if as_json:
        sys.stdout.write(json.dumps(_summary(result)) + "\n")
    else:
        _show(console, result)


def _check(folder: Path, k: str, algorithm: str, device: str) -> None:
    """Wrong use is told before anything heavy is imported."""
    from models import registry

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="FOLDER")
    if k != "auto" and not (k.isascii() and k.isdigit() and int(k) >= 1):
        raise typer.BadParameter(f"{k!r} is neither auto nor a number from 1", param_hint="--k")
    if algorithm not in (known := ["auto", *registry.names("clustering")]):
        raise typer.BadParameter(f"{algorithm!r} is not known; known: {', '.join(known)}", param_hint="--algorithm")
    if device not in ("auto", "cpu", "cuda"):
        raise typer.BadParameter("give auto, cpu or cuda", param_hint="--device")


def _summary(result: Any) -> dict[str, Any]:
    return {
        "images": len(result.gallery.names),
        "rejected": len(result.gallery.rejected),
        "duplicates": len(result.gallery.duplicates),
        "algorithm": result.algorithm,
        "k": result.clustering.k,
        "suggested": [one.k for one in result.suggestions.suggested] if result.suggestions else None,
        "outliers": int(result.outliers.sum()),
        "seconds": result.seconds,
        "images_per_s": result.images_per_s,
        "metrics": result.scores,
        "quality": result.metrics,
        "out": str(result.request.out),
    }


def _show(console: Console, result: Any) -> None:
    gallery, found = result.gallery, result.clustering
    table = Table(title=f"{len(gallery.names)} pictures in {found.k} clusters", title_justify="left")
    for heading in ("cluster", "pictures", "cohesion"):
        table.add_column(heading, justify="right")
    table.add_column("most typical")
    if result.truth:
        table.add_column("mostly")
    for number, size in enumerate(found.sizes):
        rows = (found.labels == number).nonzero()[0]
        typical = gallery.names[rows[found.distances[rows].argmin()]]
        row = [str(number), str(size), f"{result.cohesion[number]:.2f}", typical]
        table.add_row(*row, *([_majority(result, rows)] if result.truth else []))
    console.print(table)
    if left_out := int((found.labels < 0).sum()):
        console.print(f"{left_out} pictures are in no cluster")
    if result.suggestions and len(result.suggestions.suggested) > 1:
        console.print(_suggested(result.suggestions))
    for title, values in (("Against the labels", result.scores), ("Without labels", result.metrics)):
        if values:
            numbers = ((name, value) for name, value in values.items() if isinstance(value, float))
            console.print(f"{title}: " + "  ".join(f"{name} {value:.3f}" for name, value in numbers))
    if gallery.rejected or gallery.duplicates:
        console.print(f"{len(gallery.rejected)} files rejected, {len(gallery.duplicates)} duplicates left out")
        for one in gallery.rejected[:5]:
            console.print(f"  {one.name}: {one.code}", style="yellow", markup=False)
    stages = "  ".join(f"{name} {value:.1f} s" for name, value in result.seconds.items())
    console.print(f"{result.images_per_s} pictures a second: {stages}")
    console.print(f"Open [bold]{result.request.out / 'report.html'}[/bold] in a browser.", soft_wrap=True)


def _suggested(suggestions: Any) -> str:
    """Every number that is as good an answer as the one taken, and how stable its clusters are."""
    each = (f"{one.k} (stable to {max(one.stability, 0):.0%})" for one in suggestions.suggested)
    return f"How many clusters: {', '.join(each)}; {suggestions.k} taken. Another: --k N"


def _majority(result: Any, rows: Any) -> str:
    """The commonest label of a cluster and its share."""
    from collections import Counter

    counts = Counter(result.truth.get(result.gallery.names[row]) for row in rows)
    label, count = counts.most_common(1)[0]
    return f"{label} ({100 * count // len(rows)}%)"
