"""What every writer needs: that what it wrote lasts, and one word for a disk that is full."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")


class DiskFull(OSError):
    """There was no room for what was to be written."""

    code = "storage_full"


def flush(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_space(error: BaseException | None) -> bool:
    """Whether the system's word for a full disk, or a full quota, is this error or lies behind it."""
    while error is not None:
        if isinstance(error, OSError) and (error.errno in (errno.ENOSPC, errno.EDQUOT) or _cut_short(error)):
            return True
        error = error.__context__
    return False


def _cut_short(error: OSError) -> bool:
    """NumPy counts the items that a file no longer took, and keeps the reason, a full disk, to itself."""
    return error.errno is None and _CUT_SHORT.fullmatch(str(error)) is not None


@contextmanager
def disk_full_named(advice: str) -> Iterator[None]:
    """A full disk becomes DiskFull with this advice, even where a library hides the system's error in its own."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if no_space(error):
            raise DiskFull(advice) from error
        raise
