"""Where a run keeps what it needs to go on after it was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import torch

from models.disk import disk_full_named, flush

FULL_DISK = "The disk is full: free some space, then start the fine-tuning again."
State = dict[str, Any]  # tensors, numbers, strings, and lists and dicts of them


class Checkpoints(Protocol):
    def load(self) -> State | None:
        """The newest state, None when there is none."""
        ...

    def save(self, state: State) -> None:
        """All or nothing, durable when it returns; what was there before stays. Raises DiskFull."""
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
        flush(self.path.parent)


def read(path: Path) -> State:
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    return state


def write(state: State, path: Path) -> None:
    """To a file, synced. Leaves nothing behind when there is no room. Raises DiskFull."""
    try:
        with disk_full_named(FULL_DISK), path.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
