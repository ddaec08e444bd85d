"""Files on their way in: written to scratch while they are hashed, before anything is known of them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.errors import StorageFull
from app.ids import new_id


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
    """Receives one file: write() its pieces, then finish(); or drop() it."""

    def __init__(self, scratch: Path, name: str, limit: int, member: int | None = None) -> None:
        self.name, self.limit, self.member = name, limit, member
        self.size = 0
        self._hash = hashlib.sha256()
        self.path = scratch / f"upload-{new_id()}"
        self._file = self.path.open("xb")

    def write(self, piece: bytes) -> None:
        """Raises FileTooLarge beyond the limit and StorageFull when the disk is full."""
        self.size += len(piece)
        if self.size > self.limit:
            self.drop()
            raise FileTooLarge
        self._hash.update(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            self.drop()
            raise StorageFull("The disk is full; free some space or add some, then try again.") from error

    def finish(self) -> Staged:
        self._file.close()
        return Staged(self.name, self.path, self._hash.hexdigest(), self.size, self.member)

    def drop(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)
