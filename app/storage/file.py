"""Blobs in a folder of this machine."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from app.errors import full_disk_named
from models.disk import flush


class FileStorage:
    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, folder: str) -> Self:
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        return cls(root)

    def put(self, sources: Iterable[tuple[Path, str]]) -> None:
        """Data first, then its name, then the folders that hold the name: after a power cut there is all or nothing."""
        folders: set[Path] = set()
        with full_disk_named():
            for source, key in sources:
                target = self.local(key)
                _sync_tree(source)
                folders |= _make_folders(target.parent, self.root)
                os.replace(source, target)
                folders.add(target.parent)
            for folder in folders:
                flush(folder)

    def local(self, key: str) -> Path:
        return self.root / key

    def exists(self, key: str) -> bool:
        return self.local(key).exists()

    def delete(self, key: str) -> None:
        path = self.local(key)
        while path.is_dir():
            with suppress(FileNotFoundError):  # somebody else deletes it too, or deletes what is in it
                shutil.rmtree(path)
        path.unlink(missing_ok=True)

    def keys(self, prefix: str) -> Iterator[str]:
        for folder, _, names in os.walk(self.local(prefix)):
            for name in names:
                yield str(Path(folder, name).relative_to(self.root))


def _make_folders(folder: Path, root: Path) -> set[Path]:
    """Create what is missing of a folder's path; the parents that gained an entry and must be synced."""
    gained = set()
    step = folder
    while step != root and not step.exists():
        gained.add(step.parent)
        step = step.parent
    folder.mkdir(parents=True, exist_ok=True)
    return gained


def _sync_tree(path: Path) -> None:
    if path.is_dir():
        for entry in path.iterdir():
            _sync_tree(entry)
    flush(path)
