"""Stages of a run on the command line: a progress bar for each, and the seconds it took."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Stages:
    """Shows and times stages; quiet, it only times them. Stages may overlap."""

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        self.bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=console.quiet,
        )

    def __enter__(self) -> "Stages":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def stage(self, name: str, description: str, total: int | None = None) -> "Stage":
        """A context that times `name`; calling it tells how many are done, and of how many if that has changed."""
        return Stage(self, name, description, total)


class Stage:
    def __init__(self, stages: Stages, name: str, description: str, total: int | None) -> None:
        self.stages, self.name = stages, name
        self._task = stages.bars.add_task(description, total=total)
        self._started = time.perf_counter()

    def __call__(self, done: int, total: int | None = None) -> None:
        self.stages.bars.update(self._task, completed=done)
        if total is not None:
            self.stages.bars.update(self._task, total=total)

    def finish(self) -> None:
        """Stop the clock and fill the bar; once."""
        if self.name not in self.stages.seconds:
            self.stages.seconds[self.name] = round(time.perf_counter() - self._started, 3)
            whole = self.stages.bars.tasks[self.stages.bars.task_ids.index(self._task)].total or 1
            self.stages.bars.update(self._task, total=whole, completed=whole)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
