"""What a backup is: a folder of files, the SHA-256 of each, and a seal that is written last.

backup.json   the seal: what this is, and the SHA-256 of the list; a backup without it was never finished
SHA256SUMS    the list; `sha256sum -c SHA256SUMS` checks it without Roost
roost.db      the database, in the embedded setting
blobs/        the stored files, under their keys
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from app.errors import Invalid
from app.maintenance.checks import digest_of
from app.maintenance.findings import Progress
from app.report.atomic import replacing

SEAL, SUMS, DATABASE, BLOBS = "backup.json", "SHA256SUMS", "roost.db", "blobs"


class BackupDamaged(Invalid):
    """Something of the backup is not what was written. Nothing was changed."""

    code = "backup_damaged"


class Seal(BaseModel):
    """backup.json"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    roost: str
    created_at: AwareDatetime
    database: bool
    files: int
    bytes: int
    sums_sha256: str


def write(folder: Path, progress: Progress) -> Seal:
    """List and seal every file that lies in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    size = 0
    with replacing(folder / SUMS) as sums:
        for done, path in enumerate(paths, 1):
            sums.write(f"{digest_of(path)}  {path.relative_to(folder).as_posix()}\n")
            size += path.stat().st_size
            progress(done, len(paths))
    seal = Seal(
        roost=version("roost"),
        created_at=datetime.now(UTC),
        database=(folder / DATABASE).is_file(),
        files=len(paths),
        bytes=size,
        sums_sha256=digest_of(folder / SUMS),
    )
    with replacing(folder / SEAL) as file:
        file.write(seal.model_dump_json(indent=1) + "\n")
    return seal


def check(folder: Path, progress: Progress) -> Seal:
    """Read every byte of a backup. BackupDamaged names the files that are missing or changed."""
    seal = _seal(folder)
    bad, listed = [], 0
    for listed, (digest, name) in enumerate(lines(folder), 1):
        path = folder / name
        if not path.is_file():
            bad.append(f"{name} is missing")
        elif digest_of(path) != digest:
            bad.append(f"{name} is not what was backed up")
        progress(listed, seal.files)
    if listed != seal.files:
        bad.append(f"{SUMS} lists {listed} files instead of {seal.files}")
    if bad:
        more = f", and {len(bad) - 10} more" if len(bad) > 10 else ""
        raise BackupDamaged(f"{folder}: {'; '.join(bad[:10])}{more}. Nothing was changed.")
    return seal


def lines(folder: Path) -> Iterator[tuple[str, str]]:
    """SHA-256 and relative path of each file of a list whose own hash is right."""
    with (folder / SUMS).open(encoding="utf-8") as sums:
        for line in sums:
            digest, _, name = line.rstrip("\n").partition("  ")
            if not _ours(name):
                raise BackupDamaged(f"{folder / SUMS} names {name!r}, which no backup has. Nothing was changed.")
            yield digest, name


def _seal(folder: Path) -> Seal:
    try:
        seal = Seal.model_validate_json((folder / SEAL).read_bytes())
        found = digest_of(folder / SUMS)
    except FileNotFoundError as error:
        raise BackupDamaged(f"{folder} is no finished backup: {Path(error.filename).name} is missing.") from error
    except ValidationError as error:
        raise BackupDamaged(f"{folder / SEAL} can't be read: {error.errors()[0]['msg']}.") from error
    if found != seal.sums_sha256:
        raise BackupDamaged(f"{folder / SUMS} is not what was backed up. Nothing was changed.")
    return seal


def _ours(name: str) -> bool:
    """Only places that `write` makes: a list from elsewhere must not name a file outside the data folder."""
    path = PurePosixPath(name)
    return name == DATABASE or (path.parts[:1] == (BLOBS,) and len(path.parts) > 1 and ".." not in path.parts)
