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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar, Self, cast

from app.settings import Settings
from app.text import printable

PIECE = 2**18
TAR_ERRORS = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RecursionError)
COMPRESSIONS: dict[bytes, Any] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ": lzma.LZMAFile}
RATIO_GRACE = 100 * 2**20  # small archives may unpack to this much, whatever their ratio
MAX_DIRECTORY_BYTES = 128 * 2**20  # of a zip, which zipfile reads whole: 600 for each of the most members
MAX_HEADER_BYTES = 2**20  # of all that a tar says of one member, which tarfile keeps: long names, attributes, holes
READ_AHEAD = tarfile.RECORDSIZE  # how much tarfile takes of a stream at a time, whatever it needs
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
    with _ZipFile(path, budget) as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise ArchiveError("archive_corrupt", f"The zip can't be read: {error}.") from error
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
    """The unpacked tar. What belongs to no member is bounded as well, and so is what belongs to a member's header."""

    def __init__(self, file: IO[bytes], budget: Budget) -> None:
        self._file, self._left = file, budget.most_bytes + RATIO_GRACE
        self._header_left: int | None = None

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise _blown_up()
        if self._header_left is not None:
            self._header_left -= len(piece)
            if self._header_left < 0:
                raise ArchiveError("archive_limit", "The tar has a header of more than a megabyte.")
        return piece

    @contextmanager
    def header(self) -> Iterator[None]:
        """While a member's header is read, and those before it that say more of the same member."""
        whole = self._header_left is None
        if whole:
            self._header_left = MAX_HEADER_BYTES + READ_AHEAD
        try:
            yield
        finally:
            if whole:
                self._header_left = None


class _Header(tarfile.TarInfo):
    """A header that TarFile would take for the end of the archive, or blindly read gigabytes for, is an error here."""

    counted: ClassVar[_Counted]

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        with cls.counted.header():
            return super().fromtarfile(archive)

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if 0 < len(buf) < tarfile.BLOCKSIZE:
            raise ArchiveError("archive_corrupt", "The tar ends in the middle of a header.")
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise ArchiveError("archive_corrupt", f"The tar has a broken header: {error}.") from error


def _unpacked(path: Path) -> IO[bytes]:
    """The tar itself, whatever it is compressed with."""
    with path.open("rb") as file:
        head = file.read(6)
    for magic, opened in COMPRESSIONS.items():
        if head.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


def _opened(counted: _Counted) -> Any:
    """The TarFile; typeshed knows neither a stream without an end nor the attributes that are cleared."""
    header = type("Header", (_Header,), {"counted": counted})
    return tarfile.open(fileobj=counted, mode="r|", tarinfo=header)  # type: ignore[call-overload]


def _tar(path: Path, budget: Budget) -> Iterator[Member]:
    number = -1
    try:
        with _unpacked(path) as unpacked, _opened(_Counted(unpacked, budget)) as archive:
            for number, info in enumerate(archive):
                budget.member()
                archive.members = []  # tarfile would keep an object of each
                archive.pax_headers = {}  # and what is said of all that follow
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
