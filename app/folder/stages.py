"""Stages of a run on the command line: a progress bar for each, and the seconds it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Bar(Protocol):
    def __call__(self, done: int, total: int | None = None) -> None: ...


class Stages:
    """Shows and times stages; quiet, it only times them."""

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=console.quiet,
        )

    def __enter__(self) -> "Stages":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def stage(self, name: str, description: str, total: int | None = None) -> Iterator[Bar]:
        """Time `name`; the block calls what it gets with how many are done."""
        task = self._progress.add_task(description, total=total)
        started = time.perf_counter()

        def advance(done: int, total: int | None = None) -> None:
            self._progress.update(task, completed=done, **({"total": total} if total is not None else {}))

        yield advance
        self.seconds[name] = round(time.perf_counter() - started, 3)
        known = self._progress.tasks[self._progress.task_ids.index(task)]
        self._progress.update(task, total=known.total or 1, completed=known.total or 1)
