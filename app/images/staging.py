"""Files on their way in: written to scratch while they are hashed, before anything is known of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import full_disk_named
from app.ids import new_id
from app.images.schemas import UploadItem


@dataclass(frozen=True)
class Staged:
    """A file received whole, in scratch. `member` is its number in an archive."""

    name: str
    path: Path
    sha256: str
    size: int
    member: int | None = None


class FileTooLarge(Exception):
    """The file passed its limit; what was written of it is gone."""


class Stager:
    """Receives one file: write() its pieces, then finish(); or drop() it. StorageFull when the disk is full."""

    def __init__(self, scratch: Path, name: str, limit: int, member: int | None = None) -> None:
        self.name, self.limit, self.member = name, limit, member
        self.size = 0
        self._hash = hashlib.sha256()
        self.path = scratch / f"upload-{new_id()}"
        with full_disk_named():
            self._file = self.path.open("xb")

    def write(self, piece: bytes) -> None:
        """Raises FileTooLarge beyond the limit."""
        self.size += len(piece)
        if self.size > self.limit:
            self.drop()
            raise FileTooLarge
        self._hash.update(piece)
        with self._dropped_on_error():
            self._file.write(piece)

    def finish(self) -> Staged:
        with self._dropped_on_error():  # what was buffered goes to the disk only now
            self._file.close()
        return Staged(self.name, self.path, self._hash.hexdigest(), self.size, self.member)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # what it may still have to write is not wanted
            self._file.close()

    @contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        try:
            with full_disk_named():
                yield
        except BaseException:
            self.drop()
            raise


def too_large(name: str, limit: int) -> UploadItem:
    """How a file beyond the limit, in bytes, is refused."""
    detail = f"The file is larger than {limit:,} bytes. Send a smaller version."
    return UploadItem(name=name, status="rejected", code="file_too_large", detail=detail)
