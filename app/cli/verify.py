"""roost verify"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.cli.failures import failing_clearly
from app.folder.stages import Stages

if TYPE_CHECKING:
    from app.maintenance.findings import Finding
    from app.resources import Resources


def verify(
    data: Annotated[Path | None, typer.Option(help="The data folder. Default: ./data")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make again what can be made again, and remove orphans.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Check every file that the database names: it is there, and has the hash and size that it should have.

    Exit code 0: all is well; 1: there is a line for each finding. It may run beside the service.

    Example: roost verify --data ~/roost --repair
    """
    from app import logs
    from app.maintenance import owner

    chosen = owner.settings(data)
    console = Console(stderr=True, quiet=as_json)
    stages = Stages(console)
    with failing_clearly("verify"), owner.opened(chosen) as res, owner.alone(chosen) as alone, stages:
        logs.configure(chosen)
        findings = _verify(res, stages, alone)
        if repair and findings:
            for line in findings:
                console.print(f"found: {line}", markup=False, highlight=False, soft_wrap=True)
            _repair(res, findings, stages, console, alone)
            findings = _verify(res, stages, alone)
    _show(findings, as_json)
    raise typer.Exit(1 if findings else 0)


def _verify(res: "Resources", stages: Stages, alone: bool) -> list["Finding"]:
    from app.maintenance.orphans import GRACE_S
    from app.maintenance.verify import verify

    with stages.stage("verify", "Checking every file") as stage:
        return verify(res, 0.0 if alone else GRACE_S, stage)


def _repair(res: "Resources", findings: list["Finding"], stages: Stages, console: Console, alone: bool) -> None:
    """The jobs run in the service where there is one, else here."""
    from contextlib import nullcontext

    from app.maintenance import repair
    from workers.celery_app import embedded

    jobs = repair.repair(res, findings)
    if not jobs:
        return
    with embedded(res) if alone else nullcontext(), stages.stage("repair", "Making again, jobs") as stage:
        for job in repair.wait(res, jobs, stage):
            if job.state != "succeeded":
                console.print(f"repair job {job.id} {job.state}: {job.error_detail}", markup=False, soft_wrap=True)


def _show(findings: list["Finding"], as_json: bool) -> None:
    if as_json:
        body = {"clean": not findings, "findings": [one.as_json() for one in findings]}
        sys.stdout.write(json.dumps(body) + "\n")
        return
    for one in findings:
        print(one)
    print(f"{len(findings)} findings" if findings else "clean: every file is there and whole, and none is too many")
