"""The size a picture declares: fixed fields read here, chains of boxes and markers by the library imagesize.

imagesize walks JPEG markers, TIFF directories and HEIF boxes without a limit, and reads BMP version 2, GIF above
32,767 and the scale bits of WebP wrongly. So it is given the chained formats only, through a reader with a budget.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import BinaryIO

import imagesize

MAX_READS = 4_096
MAX_READ_BYTES = 65_536

_HEAD_BYTES = 32


def declared_size(file: BinaryIO, format: str) -> tuple[int, int] | None:
    """(width, height) in pixels as stored, or None when the header does not say it within the budget."""
    if format not in _FIXED:
        # get() answers (-1, -1) for whatever it cannot read and for every exception, the budget's included.
        width, height = imagesize.get(BudgetReader(file), exif_rotation=False)
    else:
        file.seek(0)
        head = file.read(_HEAD_BYTES)
        width, height = _FIXED[format](head) if len(head) == _HEAD_BYTES else (0, 0)
    return (width, height) if width > 0 and height > 0 else None


class BudgetReader:
    """A file that can be read MAX_READS times and MAX_READ_BYTES in all; then it raises BudgetSpent."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._reads = 0
        self._bytes = 0

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        self._bytes += size
        if size < 0 or self._reads > MAX_READS or self._bytes > MAX_READ_BYTES:
            raise BudgetSpent
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)


class BudgetSpent(Exception):
    """The header is spread over more bytes or steps than an ordinary one."""


def _png(head: bytes) -> tuple[int, int]:
    return struct.unpack(">II", head[16:24]) if head[12:16] == b"IHDR" else (0, 0)


def _gif(head: bytes) -> tuple[int, int]:
    return struct.unpack("<HH", head[6:10])


def _bmp(head: bytes) -> tuple[int, int]:
    if head[14] == 12:  # BITMAPCOREHEADER
        return struct.unpack("<HH", head[18:22])
    width, height = struct.unpack("<ii", head[18:26])
    return abs(width), abs(height)  # a negative height means rows from the top


def _webp(head: bytes) -> tuple[int, int]:
    """RFC 9649, sections 2.5 to 2.7."""
    chunk = head[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return 0, 0


_FIXED: dict[str, Callable[[bytes], tuple[int, int]]] = {"png": _png, "gif": _gif, "bmp": _bmp, "webp": _webp}
