"""How a file becomes a blob of a folder, seen at the calls to the system."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.storage.file import FileStorage


def test_data_first_then_the_name_then_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that after a power cut there is all or nothing. Files and folders are told apart by their inodes."""
    done: list[tuple[str, int]] = []

    def note(name: str, of: Callable[[Any], os.stat_result]) -> None:
        call = getattr(os, name)

        def noted(first: Any, *rest: Any) -> None:
            done.append((name, of(first).st_ino))
            call(first, *rest)

        monkeypatch.setattr(os, name, noted)

    note("fsync", os.fstat)
    note("link", os.stat)
    storage, source = FileStorage.open(str(tmp_path / "blobs")), tmp_path / "upload"
    source.write_bytes(b"data")
    inode = source.stat().st_ino
    storage.put([(source, "a/b/key")])
    folders = (storage.root, storage.root / "a", storage.root / "a" / "b")
    assert done[:2] == [("fsync", inode), ("link", inode)]
    assert sorted(done[2:]) == sorted(("fsync", folder.stat().st_ino) for folder in folders)
