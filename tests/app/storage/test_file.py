"""How a file becomes a blob of a folder, seen at the calls to the system."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.storage.file import FileStorage


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Names of calls, and the inodes of what they were for."""
    noted: list[tuple[str, int]] = []

    def note(name: str, of: Callable[[Any], os.stat_result]) -> None:
        call = getattr(os, name)

        def noting(first: Any, *rest: Any) -> None:
            noted.append((name, of(first).st_ino))
            call(first, *rest)

        monkeypatch.setattr(os, name, noting)

    note("fsync", os.fstat)
    note("link", os.stat)
    return noted


def test_data_first_then_the_name_then_the_folders(tmp_path: Path, done: list[tuple[str, int]]) -> None:
    """So that after a power cut there is all or nothing. Files and folders are told apart by their inodes."""
    storage, source = FileStorage.open(str(tmp_path / "blobs")), tmp_path / "upload"
    source.write_bytes(b"data")
    inode = source.stat().st_ino
    storage.put([(source, "a/b/key")])
    folders = (storage.root, storage.root / "a", storage.root / "a" / "b")
    assert done[:2] == [("fsync", inode), ("link", inode)]
    assert sorted(done[2:]) == sorted(("fsync", folder.stat().st_ino) for folder in folders)


@pytest.mark.parametrize("minutes", [0, 10])
def test_folders_that_another_has_just_made(tmp_path: Path, done: list[tuple[str, int]], minutes: int) -> None:
    """He may not have come to sync their names, and ours hangs on them; those of old folders are on the disk."""
    storage, source = FileStorage.open(str(tmp_path / "blobs")), tmp_path / "upload"
    source.write_bytes(b"data")
    leaf = storage.root / "a" / "b"
    leaf.mkdir(parents=True)
    above = [storage.root, storage.root / "a"]
    for folder in above:
        os.utime(folder, (time.time() - 60 * minutes,) * 2)
    storage.put([(source, "a/b/key")])
    synced = [leaf] if minutes else [leaf, *above]
    assert sorted(done[2:]) == sorted(("fsync", folder.stat().st_ino) for folder in synced)
