"""One process of a training by several: python -m models.ssl.ranks FOLDER, started by torchrun, see launch.py.

What is slow to import is imported only once the process watches for the end of the one that it is to end with.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import registry
from models.ssl.task import EVENTS, FAILURE, MAPS, MEETING, OUTCOME, PID, STATE, TASK, Task, train

if TYPE_CHECKING:
    from models.ssl.checkpoint import FileCheckpoints, State

REPORT_EVERY_S = 0.1


class Events:
    """Lines of JSON that the process reads which started this one; only the first process writes some."""

    def __init__(self, file: Path) -> None:
        self._stream = file.open("ab")
        self._progress = ("", 0.0)

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        moment = time.monotonic()
        if done == total or self._progress[0] != stage or moment - self._progress[1] >= REPORT_EVERY_S:
            self._progress = stage, moment
            self.tell("progress", [stage, done, total, unit])

    def recorded(self, record: dict[str, float | None]) -> None:
        self.tell("recorded", record)

    def tell(self, kind: str, value: Any) -> None:
        if _first():
            self._stream.write(json.dumps({kind: value}).encode() + b"\n")
            self._stream.flush()


class AnnouncedCheckpoints:
    def __init__(self, file: FileCheckpoints, events: Events) -> None:
        self.file, self.events = file, events

    def load(self) -> State | None:
        return self.file.load()

    def save(self, state: State) -> None:
        self.file.save(state)
        self.events.tell("saved", True)


def main(folder: Path) -> None:
    from models.ssl import distributed

    task = Task.model_validate_json((folder / TASK).read_bytes())
    device = task.device
    if device == "cuda":
        import torch

        torch.cuda.set_device(number := int(os.environ["LOCAL_RANK"]))
        device = f"cuda:{number}"
    distributed.join(device, folder / MEETING)
    _train(task, device, folder)
    distributed.leave()


def _train(task: Task, device: str, folder: Path) -> None:
    from models.ssl.checkpoint import FileCheckpoints, write
    from models.ssl.finetune import build

    base = registry.load("encoders", task.base)
    params = registry.load("ssl.methods", task.method).Params.model_validate(task.params)
    method = build(task.method, params, base, len(task.trained))
    events = Events(folder / EVENTS)
    checkpoints = AnnouncedCheckpoints(FileCheckpoints(folder / STATE), events)
    result = train(method, task, device, folder / MAPS, events.progress, checkpoints, events.recorded)
    if _first():
        write({"method": method.state_dict(), "result": asdict(result)}, folder / OUTCOME)


def _first() -> bool:
    return os.environ["RANK"] == "0"


def _end_with_parent() -> None:
    """The one that started torchrun holds the other end of our stdin, and never writes."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)  # with those that make views; torchrun gave each process a group

    threading.Thread(target=wait, daemon=True).start()


def _leave_reason(folder: Path, error: BaseException) -> None:
    """Where the error has a code; without one it is a crash, perhaps only that of losing another process.

    On a full disk whoever reads the reason looks for room itself.
    """
    code = "out_of_memory" if isinstance(error, MemoryError) else getattr(error, "code", None)
    if isinstance(code, str):
        detail = str(error) or "The machine's memory was not enough for this training."
        partial = folder / f"{FAILURE}.{os.getpid()}"
        with suppress(OSError):
            partial.write_text(json.dumps({"code": code, "detail": detail}), encoding="utf-8")
            partial.replace(folder / FAILURE)


if __name__ == "__main__":
    _end_with_parent()
    (Path(sys.argv[1]) / PID.format(os.getpid())).touch()
    try:
        main(Path(sys.argv[1]))
    except BaseException as error:
        traceback.print_exc()
        _leave_reason(Path(sys.argv[1]), error)
        sys.stderr.flush()
        os._exit(1)  # not in order: that could wait for processes that wait for this one
