"""What the processes of a training are told, and what one of them does with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from models.ssl.base import Method
    from models.ssl.checkpoint import Checkpoints
    from models.ssl.fit import Progress, Result

# What lies in the folder of a training by several processes, see launch.py.
TASK, FAILURE, EVENTS, LOG = "task.json", "failure.json", "events.jsonl", "log"
STATE, OUTCOME = "state.pt", "outcome.pt"  # a checkpoint; the trained method and its `Result`
PID = "{}.pid"  # of each process, which leads a group of its own
MEETING, MAPS = "meeting", "maps"  # where the processes find each other; maps of the frozen trunk

Report = Callable[[str, int, int, str], None]  # stage, done, total, unit; what it raises ends the run
Recorded = Callable[[dict[str, float | None]], None]  # what an epoch measured, see `fit`


class Task(BaseModel):
    """Of every process. The method is built from `method`, `params` and `base`, the same by each."""

    model_config = ConfigDict(frozen=True)

    method: str
    params: dict[str, Any]
    base: str  # name in the registry of encoders
    trained: list[Path]  # working copies
    held_out: list[Path]
    labels: list[str] | None  # of `trained`
    device: Literal["cpu", "cuda"]
    workers: int  # processes that make views, of each process


def train(
    method: Method,
    task: Task,
    device: str,
    scratch: Path,
    report: Report,
    checkpoints: Checkpoints | None,
    recorded: Recorded | None,
) -> Result:
    """`fit` on what the task names; device: one such as "cuda:1"."""
    from models.ssl.dataset import WorkingCopies
    from models.ssl.fit import fit

    def progress(at: Progress) -> None:
        report(at.stage, at.done, at.total, "views" if at.stage == "prepare" else "steps")

    return fit(
        method,
        WorkingCopies(task.trained),
        WorkingCopies(task.held_out),
        device=device,
        workers=task.workers,
        scratch=scratch,
        checkpoints=checkpoints,
        labels=task.labels,
        report=progress,
        recorded=recorded,
    )
