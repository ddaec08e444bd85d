"""Members of an archive as streams, read in order and never extracted by name: zip, or tar in any compression."""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.settings import Settings
from app.text import printable

PIECE = 2**18
TAR_ERRORS = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
RATIO_GRACE = 100 * 2**20  # small archives may unpack to this much, whatever their ratio


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
            raise ArchiveError(
                "archive_limit", f"The archive has more than {self.most_members} files; send it in parts."
            )

    def read(self, file: IO[bytes]) -> Iterator[bytes]:
        while piece := file.read(PIECE):
            self.bytes += len(piece)
            if self.bytes > self.most_bytes:
                raise ArchiveError("archive_limit", "The archive unpacks to far more than its size; send it in parts.")
            yield piece


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
    if (claimed := _zip_entries(path)) > budget.most_members:  # before zipfile makes an object of each
        raise ArchiveError("archive_limit", f"The archive claims {claimed} files; send it in parts.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise ArchiveError("archive_corrupt", f"The zip can't be read: {error}.") from error
    with archive:
        for number, info in enumerate(archive.infolist()):
            budget.member()
            name = _name(info.filename)
            if info.is_dir():
                continue
            if info.flag_bits & 0x1:
                yield Member(number, name, iter(()), ("image_corrupt", "The file is encrypted in the archive."))
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


def _zip_entries(path: Path) -> int:
    """How many entries the end of the central directory claims (APPNOTE 4.3.16, and 4.3.14 for zip64)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2**16 - 22 - 76))
        tail = file.read()
    end, end64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    if end < 0 or len(tail) < end + 22:
        return 0
    entries: int = struct.unpack_from("<H", tail, end + 10)[0]
    if entries == 0xFFFF and 0 <= end64 <= len(tail) - 40:
        entries = struct.unpack_from("<Q", tail, end64 + 32)[0]
    return entries


def _tar(path: Path, budget: Budget) -> Iterator[Member]:
    number = -1
    try:
        with tarfile.open(path, "r|*") as archive:
            for number, info in enumerate(archive):
                budget.member()
                archive.members = []  # type: ignore[attr-defined]  # tarfile would keep an object of each
                if info.isdir():
                    continue
                if not info.isreg() or (file := archive.extractfile(info)) is None:
                    yield Member(number, _name(info.name), iter(()), ("image_type_unsupported", "Not a plain file."))
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
