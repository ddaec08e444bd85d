"""roost finetune FOLDER"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.cli.failures import encoder_option, failing_clearly
from app.folder.stages import Stages
from app.report.training import MEASURES

if TYPE_CHECKING:
    from app.folder.finetune import Finetuned
    from models.ssl.params import Params

DEFAULT_METHOD = "neighbours"


def finetune(
    folder: Annotated[Path, typer.Argument(help="The folder with pictures; folders in it are read too.")],
    method: Annotated[str, typer.Option(help="An SSL method's name.")] = DEFAULT_METHOD,
    base: Annotated[str, typer.Option(help="The encoder to start from.")] = "efficientnet-lite0",
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the pictures; default: the method's.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Most minutes the training may take; default: 10.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same gives the same encoder; default: 0.")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Any parameter of the method; may be repeated.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="folders, or a CSV with name,label: only to measure with, never trained on.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; by default roost-out/FOLDER's name-METHOD.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that make random views.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Fine-tune an encoder on a folder of pictures and say whether it is better than the frozen one.

    Example: roost finetune ~/Pictures/garden --method simclr --epochs 5 --param lr=1e-4
    """
    _check(folder, method, device)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as in workers/child.py
    options = {"seed": seed, "epochs": epochs, "max_minutes": max_minutes}
    chosen = _params(param or []) | {name: value for name, value in options.items() if value is not None}
    from app.folder.finetune import Asked, finetune_folder

    target = (out or Path("roost-out") / f"{folder.resolve().name}-{method}").resolve()
    asked = Asked(folder.resolve(), target, method, encoder_option(base), chosen, labels, device, workers)
    params = _validated(method, chosen)
    console = Console(stderr=as_json, quiet=as_json)
    with failing_clearly("finetune"), Stages(console) as stages:
        result = finetune_folder(asked, params, stages)
    if as_json:
        sys.stdout.write(json.dumps(_summary(result)) + "\n")
    else:
        _show(console, result)


def _check(folder: Path, method: str, device: str) -> None:
    """Wrong use is told before anything heavy is imported."""
    from models import registry

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="FOLDER")
    if method not in (known := registry.names("ssl.methods")):
        raise typer.BadParameter(f"{method!r} is not known; known: {', '.join(known)}", param_hint="--method")
    if device not in ("auto", "cpu", "cuda"):
        raise typer.BadParameter("give auto, cpu or cuda", param_hint="--device")


def _params(pairs: list[str]) -> dict[str, Any]:
    """NAME=VALUE; a value is JSON if it can be read as such, otherwise text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--param")
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def _validated(method: str, chosen: dict[str, Any]) -> "Params":
    from models import registry

    kind: type[Params] = registry.load("ssl.methods", method).Params
    try:
        return kind.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise typer.BadParameter(
            f"{name}: {first['msg']}; {method} has {', '.join(kind.model_fields)}", param_hint="--param"
        ) from error


def _summary(result: "Finetuned") -> dict[str, Any]:
    tuned = result.tuned
    made = tuned.encoder.description
    return {
        "images": result.images,
        "rejected": result.rejected,
        "method": made.method,
        "base": made.base,
        "epochs": len(tuned.result.history) - 1,
        "ended": tuned.result.ended,
        "frozen": tuned.frozen,
        "tuned": tuned.tuned,
        "recommended": tuned.verdict.recommended,
        "verdict": tuned.verdict.sentence,
        "neighbours": {"frozen": tuned.verdict.frozen, "tuned": tuned.verdict.tuned},
        "sha256": made.sha256,
        "encoder": str(result.encoder),
        "seconds": result.seconds,
        "out": str(result.asked.out),
    }


def _show(console: Console, result: "Finetuned") -> None:
    tuned = result.tuned
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "frozen", "tuned", "change"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, (title, _) in MEASURES.items():
        if name in tuned.frozen and name in tuned.tuned:
            before, after = tuned.frozen[name], tuned.tuned[name]
            table.add_row(title, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}")
    console.print(table)
    style = "green" if tuned.verdict.recommended else "yellow"
    console.print(tuned.verdict.sentence, style=style, markup=False)
    stages = "  ".join(f"{name} {value:.1f} s" for name, value in result.seconds.items())
    console.print(f"{len(tuned.result.history) - 1} epochs: {stages}")
    console.print(f"Sort with it: roost cluster {result.asked.folder} --encoder {result.encoder}", soft_wrap=True)
    console.print(f"Open [bold]{result.asked.out / 'training.html'}[/bold] in a browser.", soft_wrap=True)
