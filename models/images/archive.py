"""Does a picture end as a ZIP archive? (A GIF that is a JAR as well, "GIFAR", is served to people as both.)"""

from __future__ import annotations

import os
from typing import BinaryIO

_END_RECORD = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_MAX_COMMENT_BYTES = 65_535


def ends_as_zip(file: BinaryIO) -> bool:
    """True when a ZIP end record closes the file: APPNOTE 4.3.16, its comment reaching exactly to the last byte.

    Four bytes alone would turn up by chance in one picture of 65,000.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_RECORD_BYTES - _MAX_COMMENT_BYTES))
    tail = file.read(_END_RECORD_BYTES + _MAX_COMMENT_BYTES)
    at = tail.rfind(_END_RECORD)
    while at >= 0:
        record = tail[at : at + _END_RECORD_BYTES]
        comment = int.from_bytes(record[20:22], "little")
        if len(record) == _END_RECORD_BYTES and at + _END_RECORD_BYTES + comment == len(tail):
            return True
        at = tail.rfind(_END_RECORD, 0, at)
    return False
