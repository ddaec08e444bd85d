"""Tasks for a guard, and ways to watch its children."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from models.guard import Guard, Task
from tests.models.images.scene import encoded, scene


def endless(folder: Path) -> Path:
    """A source that nobody writes: opening it never returns."""
    path = folder / "fifo.jpg"
    os.mkfifo(path)
    return path


def picture(folder: Path, name: str = "a.jpg", width: int = 300) -> Path:
    path = folder / name
    path.write_bytes(encoded(scene(width, 200), "jpeg"))
    return path


def children(guard: Guard) -> list[psutil.Process]:
    """Those that are alive; the guard may hear later than the system that one is gone."""
    found = []
    for pid in guard.pids:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def working(child: psutil.Process) -> bool:
    """Past its start: a child silences its standard output when it is ready for tasks."""
    try:
        return os.readlink(f"/proc/{child.pid}/fd/1") == os.devnull
    except OSError:
        return False


def until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(met)


def in_background(guard: Guard, task: Task) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []

    def target() -> None:
        try:
            results.append(guard.run(task))
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    return thread, results
