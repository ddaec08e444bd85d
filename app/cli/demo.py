"""roost demo: what make demo runs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.failures import failing_clearly


def demo(
    gallery: Annotated[Path | None, typer.Argument(help="A folder of your own; without it a sample is drawn.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write; what is there is replaced.")] = Path("roost-demo"),
) -> None:
    """Run the main job over HTTP on a sample gallery or your own, and write a report.

    Example: roost demo ~/Pictures/garden
    """
    if gallery and not gallery.is_dir():
        raise typer.BadParameter(f"{gallery} is no folder", param_hint="GALLERY")
    from app.demo.run import demo as run

    with failing_clearly("demo"):
        run(gallery, out, Console())
