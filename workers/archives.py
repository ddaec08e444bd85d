"""Members of an archive as streams, read in order and never extracted by name: zip, or tar in any compression."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from app.text import printable
from models.disk import disk_failed
from workers.tar_stream import HeaderTooLong, TarStream
from workers.unpacked import Readable, xz, zip_member

PIECE = 2**18
TAR_ERRORS = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
ZIP_ERRORS = (zipfile.BadZipFile, ValueError, NotImplementedError, OSError)
MEMBER_ERRORS = (*ZIP_ERRORS, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
RATIO_GRACE = 100 * 2**20  # small archives may unpack to this much, whatever their ratio
MAX_DIRECTORY_BYTES = 64 * 2**20  # of a zip, 335 for each of the most members; zipfile may need ten times as much
NOT_PLAIN = ("image_type_unsupported", "Not a plain file.")


class ArchiveError(Exception):
    """The archive as a whole can't be read further: code archive_corrupt or archive_limit."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass
class Member:
    """One entry. `pieces` gives its bytes; `refused` a (code, detail) instead, for what is no plain readable file."""

    number: int
    name: str
    pieces: Iterator[bytes]
    refused: tuple[str, str] | None = None


class Budget:
    """Counts what really comes out of an archive, whatever its headers claim."""

    def __init__(self, settings: Settings, packed: int) -> None:
        self.most_bytes = min(settings.max_archive_bytes, RATIO_GRACE + packed * settings.max_archive_ratio)
        self.most_members = settings.max_archive_members
        self.bytes = 0
        self.members = 0

    def member(self) -> None:
        self.members += 1
        if self.members > self.most_members:
            raise self.too_many()

    def too_many(self) -> ArchiveError:
        return ArchiveError("archive_limit", f"The archive has more than {self.most_members} files; send it in parts.")

    def read(self, file: Readable) -> Iterator[bytes]:
        while piece := file.read(PIECE):
            self.bytes += len(piece)
            if self.bytes > self.most_bytes:
                raise _blown_up()
            yield piece


def _blown_up() -> ArchiveError:
    return ArchiveError("archive_limit", "The archive unpacks to far more than its size; send it in parts.")


def members(path: Path, kind: str, settings: Settings) -> Iterator[Member]:
    """Every file of the archive in order, folders and the clutter of operating systems left out."""
    budget = Budget(settings, path.stat().st_size)
    found = _zip(path, budget) if kind == "zip" else _tar(path, budget)
    for member in found:
        if not _clutter(member.name):
            yield member


@contextmanager
def _faults(errors: tuple[type[Exception], ...], named: Callable[[Exception], Exception]) -> Iterator[None]:
    """Errors become those of the archive, unless it is the disk below it that fails."""
    try:
        yield
    except errors as error:
        if disk_failed(error):
            raise
        raise named(error) from error


def _clutter(name: str) -> bool:
    parts = name.split("/")
    return (
        parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini") or parts[-1].startswith("._")
    )


def _zip(path: Path, budget: Budget) -> Iterator[Member]:
    with _ZipFile(path, budget) as file:
        with _faults(ZIP_ERRORS, lambda error: ArchiveError("archive_corrupt", f"The zip can't be read: {error}.")):
            archive = zipfile.ZipFile(file)
        yield from _zip_members(archive, budget)


def _zip_members(archive: zipfile.ZipFile, budget: Budget) -> Iterator[Member]:
    with archive:
        for number, info in enumerate(archive.infolist()):
            budget.member()
            name = _name(info.filename)
            if info.filename.endswith("/"):  # ZipInfo.is_dir() in Python 3.11 can't take an empty name
                continue
            if info.flag_bits & 0x1:
                yield Member(number, name, iter(()), ("image_corrupt", "The file is encrypted in the archive."))
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                yield Member(number, name, iter(()), NOT_PLAIN)
                continue
            yield Member(number, name, _zip_pieces(archive, info, budget))


def _zip_pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Iterator[bytes]:
    """The member's bytes; MemberCorrupt where they can't be unpacked."""
    with (
        _faults(MEMBER_ERRORS, lambda error: MemberCorrupt(f"The file can't be unpacked: {error}.")),
        zip_member(archive, info) as file,
    ):
        yield from budget.read(file)


class MemberCorrupt(Exception):
    """This member can't be unpacked; others of a zip may."""


class _ZipFile(io.BufferedReader):
    """The file as zipfile reads it: the directory in one piece, which is looked at before each entry is made an object.

    So it does not matter by which of a zip's claims zipfile finds the directory.
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        super().__init__(io.FileIO(path))
        self._budget = budget

    def read(self, size: int | None = -1) -> bytes:
        if size and size > MAX_DIRECTORY_BYTES:
            raise ArchiveError("archive_limit", "The zip's list of its files is too long; send it in parts.")
        data = super().read(size)
        if _zip_entries(data) > self._budget.most_members:
            raise self._budget.too_many()
        return data


def _zip_entries(data: bytes) -> int:
    """How many entries of a directory there are, one after the other (APPNOTE 4.3.12); none where it is none."""
    count = place = 0
    while data.startswith(b"PK\x01\x02", place) and len(data) >= place + 46:
        count += 1
        place += 46 + sum(struct.unpack_from("<3H", data, place + 28))  # name, extra field, comment
    return count


class _Counted:
    """The unpacked tar. What belongs to no member is bounded as well."""

    def __init__(self, file: Readable, budget: Budget) -> None:
        self._file, self._left = file, budget.most_bytes + RATIO_GRACE

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, PIECE))
        self._left -= len(piece)
        if self._left < 0:
            raise _blown_up()
        return piece


@contextmanager
def _unpacked(path: Path) -> Iterator[Readable]:
    """The tar itself, whatever it is compressed with."""
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        elif head.startswith(b"BZh"):
            with bz2.BZ2File(file) as unpacked:
                yield unpacked
        else:
            yield xz(file) if head.startswith(b"\xfd7zXZ") else file


def _tar(path: Path, budget: Budget) -> Iterator[Member]:
    number = -1
    try:
        with _faults(TAR_ERRORS, lambda error: _tar_corrupt(number, error)), _unpacked(path) as unpacked:
            stream = TarStream(_Counted(unpacked, budget))
            for number, entry in enumerate(stream):
                budget.member()
                if entry.is_folder:
                    continue
                if not entry.is_file:
                    yield Member(number, _name(entry.name), iter(()), NOT_PLAIN)
                    continue
                yield Member(number, _name(entry.name), _tar_pieces(stream, number, budget))
    except HeaderTooLong as error:
        raise ArchiveError("archive_limit", "The tar has a header of more than a megabyte.") from error


def _tar_pieces(stream: TarStream, number: int, budget: Budget) -> Iterator[bytes]:
    """The member's bytes. A tar is one stream: what is broken here ends all of it."""
    with _faults(TAR_ERRORS, lambda error: _tar_corrupt(number, error)):
        yield from budget.read(stream)


def _tar_corrupt(number: int, error: Exception) -> ArchiveError:
    return ArchiveError("archive_corrupt", f"The tar can't be read after {number + 1} entries: {error}.")


def _name(raw: str) -> str:
    """For display: a path with forward slashes, as far as it can be shown."""
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return printable(text.replace("\\", "/"))[:4096] or "unnamed"
