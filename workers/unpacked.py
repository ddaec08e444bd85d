"""What bz2, lzma and xz unpack to, in bounded memory: no more at a time than is asked for, no dictionary of gigabytes.

zipfile lets such a member unpack whatever the piece it has just read holds, and a kilobyte of bz2 may hold a gigabyte.
lzma.LZMAFile sets no limit to the dictionary, and an xz may ask for one of 4 GB.
"""

import bz2
import copy
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

PACKED = 2**14  # read at a time
MAX_DICTIONARY_MEMORY = 300 * 2**20  # a dictionary of 256 MB with what belongs to it; that of xz -9 has 64 MB


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Unpacker(Protocol):
    """A BZ2Decompressor or LZMADecompressor."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


class Unpacked:
    """`first` and then `packed`, unpacked: one stream or several, with the zeros that may lie between them."""

    def __init__(self, packed: Readable, start: Callable[[], Unpacker], first: bytes = b"") -> None:
        self._packed, self._start, self._next = packed, start, first
        self._unpacker = start()

    def read(self, size: int) -> bytes:
        while not self._unpacker.eof or self._another():
            packed = b""
            if self._unpacker.needs_input and not (packed := self._take()):
                raise EOFError("the packed data end too soon")
            if piece := self._unpacker.decompress(packed, size):
                return piece
        return b""

    def _take(self) -> bytes:
        packed, self._next = self._next, b""
        return packed or self._packed.read(PACKED)

    def _another(self) -> bool:
        rest = self._unpacker.unused_data or self._take()
        while rest and not (rest := rest.lstrip(b"\0")):
            rest = self._take()
        if rest:
            self._unpacker, self._next = self._start(), rest
        return bool(rest)


def xz(packed: Readable) -> Unpacked:
    return Unpacked(packed, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DICTIONARY_MEMORY))


@contextmanager
def zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Readable]:
    """Only what zipfile itself unpacks piece by piece is left to it."""
    if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with archive.open(info) as file:
            yield file
        return
    if info.compress_type not in ZIP_UNPACKED:
        raise NotImplementedError("its compression is unknown")
    stored = copy.copy(info)
    stored.compress_type, stored.file_size = zipfile.ZIP_STORED, info.compress_size
    del stored.CRC  # is of what it unpacks to
    with archive.open(stored) as packed:
        yield _Checked(ZIP_UNPACKED[info.compress_type](packed), info.file_size, info.CRC)


def _zip_bz2(packed: Readable) -> Unpacked:
    return Unpacked(packed, bz2.BZ2Decompressor)


def _zip_lzma(packed: Readable) -> Unpacked:
    """A version, the properties' length and they (APPNOTE 5.8.8). In a .lzma file they and the size, here unknown."""
    head = packed.read(9)
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        raise lzma.LZMAError("there are no properties of lzma")
    start = head[4:] + b"\xff" * 8
    return Unpacked(packed, lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_DICTIONARY_MEMORY), start)


ZIP_UNPACKED = {zipfile.ZIP_BZIP2: _zip_bz2, zipfile.ZIP_LZMA: _zip_lzma}


class _Checked:
    """As many bytes as the zip says, whose CRC-32 it says as well."""

    def __init__(self, file: Readable, size: int, crc: int) -> None:
        self._file, self._left, self._expected, self._crc = file, size, crc, 0

    def read(self, size: int) -> bytes:
        if not self._left:
            return b""
        if not (piece := self._file.read(min(size, self._left))):
            raise EOFError("it unpacks to less than it claims")
        self._left -= len(piece)
        self._crc = zlib.crc32(piece, self._crc)
        if not self._left and self._crc != self._expected:
            raise zipfile.BadZipFile("its CRC-32 is another")
        return piece
