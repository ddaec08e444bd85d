"""Blobs in a folder: whole or absent, and nothing outside."""

from pathlib import Path

import pytest

from app.storage import open_storage
from app.storage.file import FileStorage


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    made = open_storage(f"file://{tmp_path / 'blobs'}")
    assert isinstance(made, FileStorage)
    return made


def test_files_and_folders_are_moved_to_their_keys(storage: FileStorage, tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_bytes(b"one")
    folder.mkdir()
    (folder / "part").write_bytes(b"two")
    storage.put([(file, "a/b/one"), (folder, "a/c")])
    assert storage.local("a/b/one").read_bytes() == b"one" and storage.local("a/c/part").read_bytes() == b"two"
    assert not file.exists() and not folder.exists()
    assert sorted(storage.keys("a")) == ["a/b/one", "a/c/part"]


def test_putting_again_replaces(storage: FileStorage, tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        source = tmp_path / "source"
        source.write_bytes(content)
        storage.put([(source, "key")])
    assert storage.local("key").read_bytes() == b"new"


def test_deleting_blobs_prefixes_and_nothing(storage: FileStorage, tmp_path: Path) -> None:
    for name in ("x/1", "x/2", "y/1"):
        source = tmp_path / "source"
        source.write_bytes(b"")
        storage.put([(source, name)])
    storage.delete("y/1")
    storage.delete("x")
    storage.delete("never/was")
    assert list(storage.keys("")) == []


def test_an_unknown_scheme_says_what_to_use() -> None:
    with pytest.raises(ValueError, match="file://"):
        open_storage("gopher://somewhere")
