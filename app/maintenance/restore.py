"""A data folder from a backup: every byte is checked before anything is written."""

import os
import shutil
from pathlib import Path

from app.errors import Invalid, full_disk_named
from app.maintenance import manifest
from app.maintenance.findings import Progress
from models.disk import flush


def restore(backup: Path, data: Path, checking: Progress, copying: Progress) -> manifest.Seal:
    """Copy a backup into a folder that is new or empty. Invalid (data_not_empty), BackupDamaged, StorageFull.

    The database comes last: a folder in which a restore was cut short has none, and no service takes it for whole.
    Copies, not links: from now on the two shall not share a fate.
    """
    if data.exists() and any(data.iterdir()):
        raise Invalid(f"{data} is not empty; a restore never overwrites anything.", code="data_not_empty")
    seal = manifest.check(backup, checking)
    made = data.exists()
    try:
        with full_disk_named():
            _copy_all(backup, data, seal.files, copying)
    except BaseException:
        _empty(data, keep=made)
        raise
    return seal


def _copy_all(backup: Path, data: Path, files: int, progress: Progress) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / manifest.BLOBS).mkdir()
    done, folders = 0, {data, data / manifest.BLOBS}
    for _, name in manifest.lines(backup):
        if name != manifest.DATABASE:
            folders |= _placed(backup / name, data / name, data)
            done += 1
            progress(done, files)
    for folder in folders:
        flush(folder)
    if (backup / manifest.DATABASE).is_file():
        partial = data / f".{manifest.DATABASE}.part"
        _placed(backup / manifest.DATABASE, partial, data)
        os.replace(partial, data / manifest.DATABASE)
        flush(data)
        progress(files, files)


def _placed(source: Path, target: Path, root: Path) -> set[Path]:
    """Copy a file so that it lasts; the folders whose entries must last too."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    flush(target)
    return {folder for folder in target.parents if folder.is_relative_to(root)}


def _empty(data: Path, *, keep: bool) -> None:
    """Take back what was begun; the folder itself stays if it was there."""
    for path in data.iterdir() if data.exists() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if data.exists() and not keep:
        data.rmdir()
