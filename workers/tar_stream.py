"""A tar as one stream: entry after entry, its name and its data, in bounded memory and in linear time.

Of tarfile only the reading of a header's block is used; the rest is not made for what strangers send. It follows long
names and attributes by recursion, searches the latter again and again (before Python 3.11.10 for hours, CVE-2024-6232),
keeps maps of holes, and goes on skipping what is claimed after the end.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from workers.unpacked import Readable

BLOCK = tarfile.BLOCKSIZE
MAX_HEADER_BYTES = 2**20  # of all that is said of one entry: long names, attributes
SKIPPED = 2**18  # read at a time where nobody wants it
ATTRIBUTES = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
EXTENSIONS = (*ATTRIBUTES, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
WITHOUT_DATA = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)


class HeaderTooLong(Exception):
    """More is said of an entry than anybody needs."""


@dataclass
class Entry:
    name: str
    is_file: bool  # plain and without holes
    is_folder: bool


@dataclass
class _Said:
    """What is said of the next entry before its own header. `left` is how much more may be."""

    left: int = MAX_HEADER_BYTES
    name: str | None = None
    size: int | None = None
    holes: bool = False


class TarStream:
    """Iterate over the entries; `read` gives the data of the one that came last, whatever is left of it is skipped."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._begun = False
        self._left = 0  # of the entry's data
        self._padding = 0  # after them, up to a whole block

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._next()) is not None:
            yield entry

    def read(self, size: int) -> bytes:
        piece = self._exactly(min(size, self._left))
        self._left -= len(piece)
        return piece

    def _next(self) -> Entry | None:
        while self.read(SKIPPED):
            pass
        self._exactly(self._padding)
        self._padding = 0
        said = _Said()
        while (header := self._header()) is not None:
            if header.type not in EXTENSIONS:
                return self._entry(header, said)
            self._extension(header, said)
        if said != _Said():
            raise tarfile.ReadError("what is said of a file is followed by none")
        return None

    def _header(self) -> tarfile.TarInfo | None:
        """None at the end, which a block of zeros marks; that it is missing is no harm."""
        block = self._file.read(BLOCK)
        while 0 < len(block) < BLOCK and (more := self._file.read(BLOCK - len(block))):
            block += more
        if not block and not self._begun:
            raise tarfile.ReadError("it is empty")
        self._begun = True
        if not block or block == bytes(BLOCK):
            return None
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.size < 0:
            raise tarfile.ReadError("a size is below zero")
        if header.type == tarfile.GNUTYPE_SPARSE:
            self._skip_map(more=block[482])
        return header

    def _skip_map(self, more: int) -> None:
        """The blocks of an old sparse file in which its map goes on, each of which says whether there are more."""
        while more:
            more = self._exactly(BLOCK)[504]

    def _extension(self, header: tarfile.TarInfo, said: _Said) -> None:
        whole = header.size + -header.size % BLOCK
        said.left -= BLOCK + whole
        if said.left < 0:
            raise HeaderTooLong
        body = self._exactly(whole)[: header.size]
        if header.type == tarfile.GNUTYPE_LONGNAME:
            said.name = _text(body.partition(b"\0")[0])
        elif header.type in ATTRIBUTES:
            _attributes(body, said)

    def _entry(self, header: tarfile.TarInfo, said: _Said) -> Entry:
        if header.type not in WITHOUT_DATA:
            self._left = header.size if said.size is None else said.size
            self._padding = -self._left % BLOCK
        name = header.name if said.name is None else said.name
        return Entry(name, header.type in FILES and not said.holes, header.isdir())

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            if not (piece := self._file.read(size)):
                raise tarfile.ReadError("it ends too soon")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def _attributes(body: bytes, said: _Said) -> None:
    for key, value in _records(body):
        if key in (b"path", b"GNU.sparse.name"):
            said.name = _text(value)
        elif key == b"size":
            said.size = _number(value)
        said.holes |= key.startswith(b"GNU.sparse.")


def _records(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Of a pax header: its own length in decimal, a space, key=value and a line break."""
    place = 0
    while place < len(body) and body[place]:
        space = body.find(b" ", place, place + 20)
        end = place + _number(body[place : max(space, place)])
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if not equals or body[end - 1 : end] != b"\n":
            raise tarfile.ReadError("a file's attributes are broken")
        yield key, value
        place = end


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise tarfile.ReadError("a number in a file's attributes is none")
    return int(digits)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
