"""Hostile bytes are decoded in child processes with memory, processor and wall-clock limits.

A decoder that hangs, eats memory or crashes takes only its own process with it: the picture gets a code, the child is
replaced and the rest of the batch goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import LifoQueue, SimpleQueue
from types import TracebackType
from typing import Any, Self

from models.guard_process import ChildDied, ChildLimits, ChildTooSlow, ChildUnavailable, GuardedProcess
from models.images.exif import Shot
from models.images.part import Part
from models.images.rejection import ImageRejected

# An allocator keeps some of what hostile pictures made it ask for; a fresh child costs a tenth of a second.
TASKS_PER_CHILD = 5_000

# Python and the decoders alone take 100 MB; with less than this, ordinary photographs would count as too large.
MIN_MEMORY_MB = 256

# A child killed from outside (the kernel short of memory, an impatient person) says nothing about the picture: one
# more try.
_FROM_OUTSIDE = {"SIGKILL", "SIGTERM"}


@dataclass(frozen=True, slots=True)
class Task:
    """source: the original. target: where the JPEG goes, plainly overwritten (give a temporary path); None only checks.

    name: what the owner calls the picture. size: its short side in pixels; 256 is the working copy. part: only a part
    of the picture, with what an encoder shall see around it.
    """

    source: Path
    target: Path | None
    name: str
    size: int = 256
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Either the picture (format, width and height upright in pixels, taken_at in UTC, camera, shot as read_shot in
    models/images/exif.py has it, sha256 of the source in hex) or the reason why it is none (code, one of the API's
    image codes, and detail, a sentence)."""

    task: Task
    format: str | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    camera: str | None = None
    shot: Shot | None = None
    sha256: str | None = None
    code: str | None = None
    detail: str | None = None

    @property
    def ready(self) -> bool:
        return self.code is None


class GuardClosed(RuntimeError):
    """The guard was closed before the task was done."""


class Guard:
    """A pool of guarded children. Thread safe; children start with the first tasks and end with the guard.

    workers: how many; by default one a usable core. memory_mb: address space of one child. seconds: processor time and
    wall-clock time of one task. Raises ValueError for limits that no picture could keep.
    """

    def __init__(self, workers: int | None = None, memory_mb: int = 1024, seconds: float = 20.0) -> None:
        self.workers = _usable_cores() if workers is None else workers
        if self.workers < 1 or memory_mb < MIN_MEMORY_MB or seconds <= 0:
            raise ValueError(f"at least 1 worker and {MIN_MEMORY_MB} MB, and a positive number of seconds")
        limits = ChildLimits(memory_mb, seconds)
        self._children = [GuardedProcess(limits) for _ in range(self.workers)]
        self._idle: LifoQueue[GuardedProcess] = LifoQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="guard")
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children that live now."""
        return [child.pid for child in self._children if child.pid is not None]

    def close(self) -> None:
        """End the children at once. Tasks under way raise GuardClosed. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        for child in self._children:
            child.kill()
        self._threads.shutdown(wait=True)
        for child in [self._idle.get() for _ in self._children]:  # each comes back when its task has noticed
            child.stop()
            self._idle.put(child)  # for callers that wait: they get it and see that the guard is closed

    def run(self, task: Task) -> Outcome:
        """One picture; waits for a free child.

        Raises OSError when the source cannot be read or the target not be written (a full disk is not the picture's
        fault), GuardClosed, and ChildUnavailable when a child cannot even start.
        """
        child = self._idle.get()
        try:
            return self._run(child, task)
        finally:
            if child.tasks >= TASKS_PER_CHILD:
                child.stop()
            self._idle.put(child)

    def map(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Outcomes as they finish. Takes tasks as children get free, two a child ahead; raises what run raises."""
        finished: SimpleQueue[Future[Outcome]] = SimpleQueue()
        pending = 0
        try:
            for task in tasks:
                if pending == 2 * self.workers:
                    pending -= 1
                    yield finished.get().result()
                self._submit(task).add_done_callback(finished.put)
                pending += 1
            while pending:
                pending -= 1
                yield finished.get().result()
        finally:
            for _ in range(pending):  # after an error or an early end: leave nothing behind that still writes files
                finished.get()

    def _submit(self, task: Task) -> Future[Outcome]:
        if self._closed:
            raise GuardClosed("the guard is closed")
        return self._threads.submit(self.run, task)

    def _run(self, child: GuardedProcess, task: Task) -> Outcome:
        request = {
            "source": str(task.source),
            "target": str(task.target) if task.target else None,
            "name": task.name,
            "size": task.size,
            "part": task.part,
        }
        try:
            return _outcome(task, self._ask(child, request))
        except ImageRejected as rejected:
            return Outcome(task, code=rejected.code, detail=rejected.detail)

    def _ask(self, child: GuardedProcess, request: dict[str, Any], again: bool = True) -> dict[str, Any]:
        if self._closed:
            raise GuardClosed("the guard is closed")
        try:
            return child.ask(request)
        except ChildTooSlow as slow:
            raise ImageRejected("image_corrupt", f"Decoding took longer than {slow.seconds:g} s.") from slow
        except ChildUnavailable as unavailable:
            if self._closed:
                raise GuardClosed("the guard was closed") from unavailable
            raise
        except ChildDied as died:
            if self._closed:
                raise GuardClosed("the guard was closed") from died
            if again and died.reason in _FROM_OUTSIDE:
                return self._ask(child, request, again=False)
            raise ImageRejected("image_corrupt", f"Decoding crashed ({died.reason}).") from died


def _outcome(task: Task, answer: dict[str, Any]) -> Outcome:
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]), answer["filename"])
    if answer.get("taken_at"):
        answer["taken_at"] = datetime.fromisoformat(answer["taken_at"])
    return Outcome(task, **answer)


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
