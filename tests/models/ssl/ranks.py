"""A small fine-tuning for several processes: python -m tests.models.ssl.ranks FOLDER trains it in two, below FOLDER."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from models import registry
from models.ssl.base import Method
from models.ssl.finetune import build
from models.ssl.launch import train_in_processes
from models.ssl.task import Task
from tests.models.ssl.runs import shapes

IMAGES, HELD_OUT, BATCH = 32, 4, 16
# Nothing that is trained has a batch norm, which on the CPU would count each process's share alone.
PARAMS: dict[str, Any] = {
    "epochs": 1, "batch_size": BATCH, "cached_views": 2, "max_minutes": None, "projector_norm": False,
    "hidden": 32, "projection": 16,
}  # fmt: skip


def pictures(folder: Path) -> list[Path]:
    folder.mkdir()
    for number, picture in enumerate(shapes(IMAGES + HELD_OUT)):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{number:02}.jpg")
    return sorted(folder.iterdir())


def task_of(copies: Sequence[Path], workers: int = 0, **params: Any) -> Task:
    return Task(
        method="simclr", params=PARAMS | params, base="efficientnet-lite0", trained=list(copies[:IMAGES]),
        held_out=list(copies[IMAGES:]), labels=None, device="cpu", workers=workers,
    )  # fmt: skip


def method_of(task: Task) -> Method:
    params = registry.load("ssl.methods", task.method).Params.model_validate(task.params)
    return build(task.method, params, registry.load("encoders", task.base), len(task.trained))


def running(folder: Path) -> list[int]:
    """The processes, torchrun among them, that have a folder or what lies in it in their command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if b"models.ssl.ranks" in words and str(folder).encode() in words:
            found.append(int(process.name))
    return found


if __name__ == "__main__":
    home = Path(sys.argv[1])
    task = task_of(pictures(home / "copies"), epochs=10_000)
    train_in_processes(method_of(task), task, 2, home / "ranks", lambda *_: None, None, None)
