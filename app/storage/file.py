"""Blobs in a folder of this machine."""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from app.errors import full_disk_named
from app.storage.base import Reader, Stat
from models.disk import flush

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS)
RECENT_S = 120.0  # by then the system itself has written a new entry; the least busy ones wait for 30 s


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
                _move(source, target)
                folders.add(target.parent)
            for folder in folders:
                flush(folder)

    def local(self, key: str, check: Callable[[Path], object] | None = None) -> Path:
        return self.root / key

    def bring(self, keys: Iterable[str]) -> None:
        """They are here."""

    def reader(self, key: str, start: int = 0, stop: int | None = None) -> Reader:
        file = self.local(key).open("rb")
        size = os.fstat(file.fileno()).st_size
        file.seek(start)
        return _FileReader(file, max(0, min(size, size if stop is None else stop) - start))

    def stat(self, key: str) -> Stat:
        found = self.local(key).stat()
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(key)
        return Stat(found.st_size, found.st_mtime)

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


class _FileReader(Reader):
    def __init__(self, file: BinaryIO, left: int) -> None:
        super().__init__(left)
        self._file = file

    def close(self) -> None:
        self._file.close()

    def _some(self, size: int) -> bytes:
        return self._file.read(size)


def _move(source: Path, target: Path) -> None:
    """Give the source the target's name, unless that is taken: a link, unlike a rename, never replaces."""
    if source.is_dir():
        _move_folder(source, target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if not target.exists():
            os.replace(source, target)
    source.unlink(missing_ok=True)


def _move_folder(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(source)


def _make_folders(folder: Path, root: Path) -> set[Path]:
    """Create what is missing of a folder's path; the parents whose entries must be synced.

    Also those that gained an entry lately: who made it may not have come to sync it yet, and our file hangs on it too.
    """
    path = [folder, *folder.parents]
    steps = path[: path.index(root)]
    gained = {step.parent for step in steps if not step.exists()}
    folder.mkdir(parents=True, exist_ok=True)
    return gained | {step.parent for step in steps if _young(step.parent)}


def _young(folder: Path) -> bool:
    """Whether something in it was made or removed within RECENT_S."""
    return folder.stat().st_mtime > time.time() - RECENT_S


def _sync_tree(path: Path) -> None:
    """Its age counts from now: a folder may have been made for hours, and a rename leaves what is in it as old."""
    if path.is_dir():
        for entry in path.iterdir():
            _sync_tree(entry)
    os.utime(path)
    flush(path)
