"""roost search FOLDER IMAGE"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.failures import encoder_option, failing_clearly
from app.folder.stages import Stages


def search(
    folder: Annotated[Path, typer.Argument(help="The folder to search in.")],
    image: Annotated[Path, typer.Argument(help="The picture whose neighbours are wanted; it may lie anywhere.")],
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many neighbours.")] = 10,
    encoder: Annotated[
        str, typer.Option(help="An encoder's name, or a fine-tuned one's folder.")
    ] = "efficientnet-lite0",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Find the pictures of a folder that are most like one picture. A second search embeds only what is new.

    Example: roost search ~/Pictures/garden wren.jpg -k 5
    """
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="FOLDER")
    if not image.is_file():
        raise typer.BadParameter(f"{image} is no file", param_hint="IMAGE")
    found = encoder_option(encoder)
    from app.folder.find import find

    console = Console(stderr=as_json, quiet=as_json)
    with failing_clearly("search"), Stages(console) as stages:
        hits = find(folder.resolve(), image, k, found, device, stages)
    if as_json:
        sys.stdout.write(json.dumps({"encoder": found.name, "hits": [asdict(hit) for hit in hits]}) + "\n")
        return
    table = Table(title=f"Most like {image.name}", title_justify="left")
    table.add_column("cosine", justify="right")
    table.add_column("picture", overflow="fold")
    for hit in hits:
        table.add_row(f"{hit.score:.3f}", hit.name)
    console.print(table)
