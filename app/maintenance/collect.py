"""Take away what nobody needs: blobs without rows, and what lost processes left in scratch."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from stat import S_ISREG

from sqlalchemy import select

from app.db.tables import Job
from app.jobs.ledger import FINAL
from app.maintenance import orphans
from app.resources import Resources


@dataclass
class Collected:
    """What was removed, or would be: keys of blobs, names in scratch, and the bytes of both."""

    blobs: list[str] = field(default_factory=list)
    scratch: list[str] = field(default_factory=list)
    bytes: int = 0


def collect(res: Resources, grace_s: float, *, dry_run: bool) -> Collected:
    """Remove orphans and scratch files that are at least `grace_s` seconds old; with dry_run only name them."""
    found = Collected()
    for key in list(_orphans(res, grace_s)):
        found.blobs.append(key)
        with suppress(FileNotFoundError):  # whose it was has just removed it
            found.bytes += res.storage.stat(key).size
        if not dry_run:
            res.storage.delete(key)
    for path in list(_scratch(res, grace_s)):
        found.scratch.append(path.name)
        found.bytes += _bytes(path)
        if not dry_run:
            _remove(path)
    return found


def _orphans(res: Resources, grace_s: float) -> Iterator[str]:
    """The names are read before the blobs are listed: what is stored in between is too young to count."""
    for collection_id in orphans.collections(res.database):
        known = orphans.names(res.database, collection_id)
        for one in orphans.of_collection(res.database, res.storage, collection_id, known, grace_s):
            yield one.key
    for one in orphans.strangers(res.database, res.storage, grace_s):
        yield one.key


def _scratch(res: Resources, grace_s: float) -> Iterator[Path]:
    """Whatever nobody has written to for so long, but for the folders of attempts that may still be running."""
    with res.database.reading() as session:
        unfinished = {str(one) for one in session.scalars(select(Job.id).where(Job.state.not_in(FINAL)))}
    for path in sorted(res.settings.scratch.iterdir()):
        if path.name.rpartition("-")[0] not in unfinished and time.time() - _written(path) >= grace_s:
            yield path


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):  # whose it was has just removed it
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _written(path: Path) -> float:
    """When it, or the newest of what is in it, was last written; what is gone already is no longer old enough."""
    return max((one.st_ctime for one in _stats(path)), default=time.time())


def _bytes(path: Path) -> int:
    return sum(one.st_size for one in _stats(path) if S_ISREG(one.st_mode))


def _stats(path: Path) -> Iterator[os.stat_result]:
    """Of a file, or of a folder and all in it."""
    inside = (Path(folder, name) for folder, folders, files in os.walk(path) for name in [*folders, *files])
    for one in chain([path], inside):
        with suppress(FileNotFoundError):
            yield one.lstat()
