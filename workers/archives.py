"""Members of an archive as streams, read in order and never extracted by name: zip, or tar in any compression."""

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

from app.settings import Settings
from app.text import printable

PIECE = 2**18
TAR_ERRORS = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
COMPRESSIONS: dict[bytes, Any] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ": lzma.LZMAFile}
RATIO_GRACE = 100 * 2**20  # small archives may unpack to this much, whatever their ratio
MAX_EXTENDED_BYTES = 2**20  # of a header that carries a long name or attributes; tarfile reads it whole
EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
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

    def read(self, file: IO[bytes]) -> Iterator[bytes]:
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


def _clutter(name: str) -> bool:
    parts = name.split("/")
    return (
        parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini") or parts[-1].startswith("._")
    )


def _zip(path: Path, budget: Budget) -> Iterator[Member]:
    _count_zip_entries(path, budget)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise ArchiveError("archive_corrupt", f"The zip can't be read: {error}.") from error
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
    try:
        with archive.open(info) as file:
            yield from budget.read(file)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        raise MemberCorrupt(f"The file can't be unpacked: {error}.") from error


class MemberCorrupt(Exception):
    """This member can't be unpacked; others of a zip may."""


def _count_zip_entries(path: Path, budget: Budget) -> None:
    """ArchiveError for more entries than allowed, before zipfile makes an object of each.

    The number at the end of a zip is only a claim, so the central directory is walked as zipfile will do it
    (APPNOTE 4.3.12, 4.3.14 and 4.3.16): it lies before the end record.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        first = max(0, size - 2**16 - 22 - 76)
        file.seek(first)
        tail = file.read()
        end, end64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
        if end < 0 or len(tail) < end + 22:
            return
        length, place = struct.unpack_from("<L", tail, end + 12)[0], first + end
        if length == 0xFFFFFFFF and 0 <= end64 <= len(tail) - 56:
            length, place = struct.unpack_from("<Q", tail, end64 + 40)[0], first + end64
        file.seek(max(0, place - length))
        for _ in range(budget.most_members + 1):
            head = file.read(46)
            if len(head) < 46 or not head.startswith(b"PK\x01\x02"):
                return
            file.seek(sum(struct.unpack_from("<3H", head, 28)), 1)  # name, extra field, comment
    raise budget.too_many()


class _Header(tarfile.TarInfo):
    """A header that TarFile would take for the end of the archive, or blindly read gigabytes for, is an error here."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if 0 < len(buf) < tarfile.BLOCKSIZE:
            raise ArchiveError("archive_corrupt", "The tar ends in the middle of a header.")
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise ArchiveError("archive_corrupt", f"The tar has a broken header: {error}.") from error
        if header.type in EXTENDED and header.size > MAX_EXTENDED_BYTES:
            raise ArchiveError("archive_limit", "The tar has a header of more than a megabyte.")
        return header


class _Counted:
    """The unpacked tar with all that belongs to no member, which is bounded as well."""

    def __init__(self, file: IO[bytes], budget: Budget) -> None:
        self._file, self._left = file, budget.most_bytes + RATIO_GRACE

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise _blown_up()
        return piece


def _unpacked(path: Path) -> IO[bytes]:
    """The tar itself, whatever it is compressed with."""
    with path.open("rb") as file:
        head = file.read(6)
    for magic, opened in COMPRESSIONS.items():
        if head.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


def _tar(path: Path, budget: Budget) -> Iterator[Member]:
    number = -1
    try:
        with (
            _unpacked(path) as file,
            tarfile.open(fileobj=_Counted(file, budget), mode="r|", tarinfo=_Header) as archive,  # type: ignore[call-overload]
        ):
            for number, info in enumerate(archive):
                budget.member()
                archive.members = []  # tarfile would keep an object of each
                if info.isdir():
                    continue
                if not info.isreg() or (file := archive.extractfile(info)) is None:
                    yield Member(number, _name(info.name), iter(()), NOT_PLAIN)
                    continue
                yield Member(number, _name(info.name), _tar_pieces(file, number, budget))
    except TAR_ERRORS as error:
        raise _tar_corrupt(number, error) from error


def _tar_pieces(file: IO[bytes], number: int, budget: Budget) -> Iterator[bytes]:
    """The member's bytes. A tar is one stream: what is broken here ends all of it."""
    try:
        yield from budget.read(file)
    except TAR_ERRORS as error:
        raise _tar_corrupt(number, error) from error


def _tar_corrupt(number: int, error: Exception) -> ArchiveError:
    return ArchiveError("archive_corrupt", f"The tar can't be read after {number + 1} entries: {error}.")


def _name(raw: str) -> str:
    """For display: a path with forward slashes, as far as it can be shown."""
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return printable(text.replace("\\", "/"))[:4096] or "unnamed"
