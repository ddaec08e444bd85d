"""Where a run keeps what it needs to go on after it was killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch

State = dict[str, Any]  # tensors, numbers, strings, and lists and dicts of them


class CheckpointDiskFull(OSError):
    """There was no room for what a run writes; the checkpoint before is untouched."""

    code = "storage_full"


class Checkpoints(Protocol):
    def load(self) -> State | None:
        """The newest state, None when there is none."""
        ...

    def save(self, state: State) -> None:
        """All or nothing, durable when it returns. Raises CheckpointDiskFull."""
        ...


class FileCheckpoints:
    """One file, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> State | None:
        return read(self.path) if self.path.exists() else None

    def save(self, state: State) -> None:
        partial = self.path.with_suffix(".partial")
        write(state, partial)
        os.replace(partial, self.path)
        _sync(self.path.parent)


def read(path: Path) -> State:
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    return state


def write(state: State, path: Path) -> None:
    """To a file, synced. Leaves nothing behind when there is no room. Raises CheckpointDiskFull."""
    try:
        with disk_full(), path.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """The new name lasts only when the folder that holds it has reached the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_full() -> Iterator[None]:
    """Turns the system's "no space left" into CheckpointDiskFull, even where torch's writer hides it in its own."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if _no_space(error):
            raise CheckpointDiskFull("The disk is full: free some space, then start the fine-tuning again.") from error
        raise


def _no_space(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__context__
    return False
