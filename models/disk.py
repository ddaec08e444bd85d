"""What every writer needs: that what it wrote lasts, and one word for a disk that is full."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

_FAULTS = (errno.EIO, errno.EROFS, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENODEV)
PROBED = 2**24  # bytes; no library writes more at once
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
        if isinstance(error, DiskFull):
            return True
        if isinstance(error, OSError) and (error.errno in (errno.ENOSPC, errno.EDQUOT) or _cut_short(error)):
            return True
        error = error.__context__
    return False


def _cut_short(error: OSError) -> bool:
    """NumPy counts the items that a file no longer took, and keeps the reason, a full disk, to itself."""
    return error.errno is None and _CUT_SHORT.fullmatch(str(error)) is not None


def disk_failed(error: BaseException) -> bool:
    """Whether the disk, or the network behind a mount, is at fault, and not what is stored there."""
    return isinstance(error, OSError) and error.errno in _FAULTS


def has_room(folder: Path, size: int = PROBED) -> bool:
    """Whether a file of so many bytes fits there."""
    try:
        with TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, size)
    except OSError as error:
        if no_space(error):
            return False
        raise
    return True


def reserve(file: Path) -> None:
    """Take the room of a sparse file at once: where it is mapped, a full disk would kill the process at a later write.

    Raises OSError, ENOSPC among them.
    """
    with file.open("r+b") as stream:
        os.posix_fallocate(stream.fileno(), 0, os.fstat(stream.fileno()).st_size)


@contextmanager
def disk_full_named(advice: str, written: Path | None = None) -> Iterator[None]:
    """A full disk becomes DiskFull with this advice, even where a library hides the system's error in its own.

    written: the folder that a library writes to which keeps the reason of its errors to itself.
    """
    try:
        yield
    except Exception as error:
        if no_space(error) or (written and not has_room(written)):
            raise DiskFull(advice) from error
        raise
