"""Which files of a folder are pictures, by name; what they hold is looked at later."""

import os
from pathlib import Path

from models.images import claimed_format


class NothingToDo(Exception):
    """There is no readable picture; the message says what was found instead."""


def some_pictures(folder: Path, leave_out: Path) -> list[Path]:
    """The same as `pictures`, of which there must be one. Raises NothingToDo."""
    if found := pictures(folder, leave_out):
        return found
    raise NothingToDo(f"{folder} has no pictures; Roost reads JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC and AVIF.")


def pictures(folder: Path, leave_out: Path) -> list[Path]:
    """Every file below the folder whose name says picture, sorted; hidden ones and those below `leave_out` are not."""
    found = []
    for where, folders, names in os.walk(folder):
        here = Path(where)
        folders[:] = [name for name in folders if not name.startswith(".") and here / name != leave_out]
        found += [here / name for name in names if not name.startswith(".") and claimed_format(name)]
    return sorted(found)
