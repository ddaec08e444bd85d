"""A copy of everything while the service goes on: whatever the copied rows name, the copy has.

Roost stores a blob before the row that names it is committed, and deletes it after the row's removal is. So when the
database is copied first and then each blob that this copy names, a blob can only be absent because its row has been
removed since. A second copy of the database no longer names it, and names a few new ones, which are copied in turn;
and so on until one copy has all its blobs. Usually that is the first, else the second: in the time between two only
what was added has to be copied. A blob that is absent, or damaged, and still named by a later copy is a loss of the
live data, and is reported. Copying the blobs first would not do: the rows committed meanwhile would lack theirs.

Last, the copy forgets what its database does not name. Blobs are never written to once they have their name, so a hard
link is as good as a copy, and takes neither time nor room; but what damages the disk then damages both.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from app.db.session import Database
from app.errors import Invalid, Unavailable, full_disk_named
from app.maintenance import manifest, named, orphans
from app.maintenance.findings import Progress
from app.resources import Resources
from app.storage import open_storage
from app.storage.base import sha256_in
from models.disk import flush


@dataclass(frozen=True)
class BackedUp:
    """The seal of a finished backup, and the keys of blobs that the live data themselves lack or have damaged."""

    seal: manifest.Seal
    lost: list[str]


def backup(res: Resources, folder: Path, copying: Progress, hashing: Progress) -> BackedUp:
    """Into a folder that is new or empty. Invalid (folder_not_empty), StorageFull; what was begun then lies there.

    On PostgreSQL only the blobs that its rows name now: pg_dump copies rows, and must run before.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} is not empty; name a new folder for each backup.", code="folder_not_empty")
    with full_disk_named():
        (folder / manifest.BLOBS).mkdir(parents=True, exist_ok=True)
        embedded = res.database.engine.dialect.name == "sqlite"
        lost = _until_whole(res, folder, copying) if embedded else _blobs_alone(res, folder, copying)
        for path in (folder, *(one for one in folder.rglob("*") if one.is_dir())):
            flush(path)
        seal = manifest.write(folder, hashing)
        return BackedUp(seal, sorted(lost | _changed(folder)))


def _until_whole(res: Resources, folder: Path, progress: Progress) -> set[str]:
    """Copy database and blobs until they agree; the keys of what no copy can have, because the live data lack it."""
    seen_absent: set[str] = set()
    while True:
        _snapshot(Path(str(make_url(res.settings.resolved_database_url).database)), folder / manifest.DATABASE)
        copy = Database(f"sqlite:///{folder / manifest.DATABASE}")
        try:
            absent = _blobs(res, copy, folder, progress)
            if absent <= seen_absent:
                _forget_unnamed(copy, folder)
                break
        finally:
            copy.close()
        seen_absent |= absent
    _plain(folder / manifest.DATABASE)
    return absent


def _blobs_alone(res: Resources, folder: Path, progress: Progress) -> set[str]:
    """What the rows name now; what is absent counts only if it is so at a second look."""
    absent = _blobs(res, res.database, folder, progress)
    return absent and absent & _blobs(res, res.database, folder, progress)


def _snapshot(live: Path, target: Path) -> None:
    """SQLite's online backup: in one step, which in WAL mode holds up no writer."""
    for path in (target, *(target.with_name(target.name + suffix) for suffix in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    with closing(sqlite3.connect(live, timeout=15)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _plain(path: Path) -> None:
    """One file that holds all, whatever lay in a log beside it."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    flush(path)


def _blobs(res: Resources, database: Database, folder: Path, progress: Progress) -> set[str]:
    """Copy what these rows name and the folder lacks; the keys of those that are not there, or not whole."""
    absent: set[str] = set()
    done = 0
    for collection_id in orphans.collections(database):
        for one in named.of_collection(database, collection_id):
            for key in _files(res, one):
                done += _placed(res, folder, key)
                progress(done, max(done, 1))
            if one.required and not _whole(folder / manifest.BLOBS / one.key, one):
                absent.add(one.key)
    return absent


def _files(res: Resources, one: named.Named) -> Iterator[str]:
    """Keys of the files that a name stands for."""
    path = None if one.below else _local(res, one.key)
    yield from list(res.storage.keys(one.key)) if path is None or path.is_dir() else [one.key]


def _local(res: Resources, key: str) -> Path | None:
    """Where it can be read from. None where the store has it damaged, which makes it absent."""
    try:
        return res.storage.local(key)
    except Unavailable as error:
        if error.code != "storage_damaged":
            raise
        return None


def _whole(target: Path, one: named.Named) -> bool:
    """Of a folder, all of it: one that is being deleted may have been copied in part.

    Originals are only looked for here: sealing reads them anyway. Their working copies can be made again.
    """
    if one.what in (named.ORIGINAL, named.WORKING) or not target.exists():
        return target.exists()
    try:
        return one.check(target) is None
    except FileNotFoundError:
        return False


def _changed(folder: Path) -> set[str]:
    """Blobs of a sealed backup that are not what their keys say."""
    sums = ((name.removeprefix(f"{manifest.BLOBS}/"), digest) for digest, name in manifest.lines(folder))
    return {key for key, digest in sums if sha256_in(key) not in (None, digest)}


def _placed(res: Resources, folder: Path, key: str) -> bool:
    """Link or copy a blob, unless the folder has it; whether it has it now."""
    target = folder / manifest.BLOBS / key
    if target.exists():
        return True
    if (source := _local(res, key)) is None:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # another disk, a file system without links, or too many of them
            _copy(source, target)
    except FileNotFoundError:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        flush(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _forget_unnamed(copy: Database, folder: Path) -> None:
    """Remove from the backup what was deleted in the live data while it was made."""
    storage = open_storage(f"file://{(folder / manifest.BLOBS).resolve()}")
    for collection_id in orphans.collections(copy):
        known = orphans.names(copy, collection_id)
        for one in list(orphans.of_collection(copy, storage, collection_id, known, 0)):
            storage.delete(one.key)
    for one in list(orphans.strangers(copy, storage, 0)):
        storage.delete(one.key)
    for path, _, _ in os.walk(storage.local(""), topdown=False):
        with suppress(OSError):  # it is not empty
            os.rmdir(path)
