"""Copies of blobs on this machine's disk, shared by all its processes: each whole or absent, the oldest go first."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.errors import Unavailable
from app.ids import new_id
from models.disk import flush, no_space

GRACE_S = 60.0  # a copy asked for so recently stays, even above the limit: somebody may be about to open it
KEPT = 0.9  # of the limit; so that not every new copy has to look for the oldest


class _Entry(NamedTuple):
    used_at: float
    size: int
    folder: Path


class LocalCopies:
    """`<2 hex>/<hash of the key>/<last part of the key>`; whoever uses an entry touches its folder."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit` in bytes."""
        self.folder, self.limit = folder, limit
        for name in ("entries", "partial", "locks"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def path(self, key: str, fetch: Callable[[Path], None]) -> Path:
        """Where the copy is. `fetch` writes what is not there yet, or raises FileNotFoundError: then nothing is there.

        Raises Unavailable (cache_full), and what `fetch` raises otherwise.
        """
        entry = self._entry(key)
        found = entry / (Path(key).name or "all")
        if self._touched(entry):
            return found
        stripe = entry.parent.name
        with _locked(self.folder / "locks" / stripe):
            if not self._touched(entry):
                try:
                    self._fill(entry, self.folder / "partial" / stripe, found.name, fetch)
                except FileNotFoundError:
                    return found
                except OSError as error:
                    raise (_no_room() if no_space(error) else error) from error
        return found

    def drop(self, key: str) -> None:
        """Forget a copy; who has it open keeps it."""
        self._removed(self._entry(key), float("inf"))

    def _entry(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()[:40]
        return self.folder / "entries" / name[:2] / name

    def _touched(self, entry: Path) -> bool:
        """Whether there is such a copy; if so it is the youngest now, and nobody was removing it meanwhile."""
        with _locked(self.folder / "locks" / "use", fcntl.LOCK_SH):
            try:
                os.utime(entry)
            except FileNotFoundError:
                return False
            return True

    def _fill(self, entry: Path, partial: Path, name: str, fetch: Callable[[Path], None]) -> None:
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        partial.mkdir()
        try:
            fetch(partial / name)
            size = 0
            for file in _files(partial):
                flush(file)  # or a power cut may leave a copy of the right size with nothing in it
                size += file.stat().st_size
            entry.parent.mkdir(exist_ok=True)
            os.utime(partial)  # its age counts from now, however long the fetching took
            os.rename(partial, entry)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._admit(size)

    def _admit(self, size: int) -> None:
        """Count a new copy, and make room when all together are above the limit."""
        with _locked(self.folder / "locks" / "total") as file:
            total = int(file.read() or 0) + size
            if total > self.limit:
                total = self._make_room()
            file.seek(0)
            file.truncate()
            file.write(str(total).encode())

    def _make_room(self) -> int:
        """Remove the copies unused for longest; the bytes that are left."""
        for left in self.folder.glob("partial/*.old"):  # by a process that was killed while it removed them
            shutil.rmtree(left, ignore_errors=True)
        entries = sorted(self._entries())
        total = sum(entry.size for entry in entries)
        for entry in entries:
            if total <= self.limit * KEPT or entry.used_at > time.time() - GRACE_S:
                break
            if self._removed(entry.folder, entry.used_at):
                total -= entry.size
        return total

    def _entries(self) -> Iterator[_Entry]:
        for folder in self.folder.glob("entries/*/*"):
            try:
                yield _Entry(folder.stat().st_mtime, sum(file.stat().st_size for file in _files(folder)), folder)
            except FileNotFoundError:  # dropped meanwhile
                continue

    def _removed(self, entry: Path, used_at: float) -> bool:
        """False when somebody has asked for it since `used_at`. By a rename: nobody may find half of a copy."""
        trash = self.folder / "partial" / f"{new_id()}.old"
        with _locked(self.folder / "locks" / "use"):
            try:
                if entry.stat().st_mtime > used_at:
                    return False
                os.rename(entry, trash)
            except FileNotFoundError:
                return True
        shutil.rmtree(trash, ignore_errors=True)
        return True


def _no_room() -> Unavailable:
    """Not StorageFull: what somebody wanted was to read."""
    return Unavailable(
        "The disk of the local copies is full; free some space in ROOST_CACHE or lower ROOST_STORAGE_CACHE_BYTES.",
        code="cache_full",
        headers={"Retry-After": "10"},
    )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _locked(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[BinaryIO]:
    """Hold a lock that other processes and other threads respect; a killed process lets go of it."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        fcntl.flock(file, kind)
        yield file
