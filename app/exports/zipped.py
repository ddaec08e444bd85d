"""A zip archive written piece by piece, its files stored as they are: pictures are compressed already.

PKWARE's APPNOTE 6.3.9. Sizes and checksums come after each file (a data descriptor), so that a file is read once;
everything has 64-bit sizes, so that neither files nor archive have a limit. The directory, which stands at the end,
waits in a temporary file: what is in memory does not grow with the archive.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

VERSION = 45  # of the format, that of 64-bit sizes
FLAGS = 0x0808  # sizes follow the file; names are UTF-8
BIG = 0xFFFFFFFF
Entry = tuple[str, datetime, Iterable[bytes]]  # path in the archive, time in UTC, content


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The archive's bytes. Paths must be relative, with /, and each only once."""
    with TemporaryFile() as directory:
        offset, count = 0, 0
        for path, moment, content in entries:
            name, stamp = path.encode(), _stamp(moment)
            header = struct.pack("<4sHHHIIIIHH", b"PK\3\4", VERSION, FLAGS, 0, stamp, 0, BIG, BIG, len(name), 20)
            header += name + struct.pack("<HHQQ", 1, 16, 0, 0)
            yield header
            size, checksum = 0, 0
            for piece in content:
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
                yield piece
            yield struct.pack("<4sIQQ", b"PK\7\x08", checksum, size, size)
            directory.write(_record(name, stamp, checksum, size, offset))
            offset, count = offset + len(header) + size + 24, count + 1
        length = directory.tell()
        directory.seek(0)
        yield from _pieces(directory)
        yield _end(count, length, offset)


def _record(name: bytes, stamp: int, checksum: int, size: int, offset: int) -> bytes:
    """A file's line in the directory."""
    unix_file = 0o100644 << 16
    head = struct.pack("<4sHHHHII", b"PK\1\2", 3 << 8 | VERSION, VERSION, FLAGS, 0, stamp, checksum)
    rest = struct.pack("<IIHHHHHII", BIG, BIG, len(name), 28, 0, 0, 0, unix_file, BIG)
    return head + rest + name + struct.pack("<HHQQQ", 1, 24, size, size, offset)


def _end(count: int, length: int, offset: int) -> bytes:
    """The end of the directory in its 64-bit form, where to find that, and the old form that refers to it."""
    whole = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 3 << 8 | VERSION, VERSION, 0, 0, count, count, length, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, offset + length, 1)
    return whole + locator + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, BIG, BIG, 0)


def _stamp(moment: datetime) -> int:
    """Date and time as DOS had them: from 1980 on, in steps of two seconds."""
    if not 1980 <= moment.year < 2108:
        return 1 << 21 | 1 << 16
    day = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return day << 16 | moment.hour << 11 | moment.minute << 5 | moment.second // 2


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(2**18):
        yield piece
