"""roost backup and roost restore"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.failures import failing_clearly
from app.folder.stages import Stages

PG_DUMP = (
    "roost backup: the database is PostgreSQL, and this backs up the stored files alone. Run pg_dump first, then this: "
    "then whatever the dump names is here, but for what was deleted in between. See docs/maintenance.md."
)
PG_RESTORE = "roost restore: this backup has no database; restore PostgreSQL's with pg_restore."


def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; a folder that is new or empty.")],
    data: Annotated[Path | None, typer.Option(help="The data folder. Default: ./data")] = None,
) -> None:
    """Copy database and stored files, also while the service runs: whatever the copied rows name, the copy has.

    On the same disk stored files are hard links; on another one they are copied. Exit code 1 when some are missing or
    damaged.

    Example: roost backup /mnt/backup/monday --data ~/roost
    """
    from app.maintenance import owner
    from app.maintenance.backup import backup

    stages = Stages(Console(stderr=True))
    with failing_clearly("backup"), owner.opened(owner.settings(data)) as res, stages:
        if res.database.engine.dialect.name != "sqlite":
            print(PG_DUMP, file=sys.stderr)
        copying, hashing = stages.stage("copy", "Copying"), stages.stage("hash", "Hashing the copy")
        with copying, hashing:
            made = backup(res, folder, copying, hashing)
    for key in made.lost:
        print(f"missing or damaged in the live data: {key}; roost verify says more", file=sys.stderr)
    print(f"{folder}: {made.seal.files:,} files, {made.seal.bytes:,} bytes")
    raise typer.Exit(1 if made.lost else 0)


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup that roost backup made.")],
    data: Annotated[Path, typer.Option(help="The data folder to make; new or empty.")],
) -> None:
    """Make a data folder from a backup. First every byte of it is checked; a damaged one changes nothing.

    Example: roost restore /mnt/backup/monday --data ~/roost-again
    """
    from app.maintenance.restore import restore

    with failing_clearly("restore"), Stages(Console(stderr=True)) as stages:
        checking, copying = stages.stage("check", "Checking the backup"), stages.stage("copy", "Copying")
        with checking, copying:
            seal = restore(folder, data, checking, copying)
    if not seal.database:
        print(PG_RESTORE, file=sys.stderr)
    print(
        f"{data}: {seal.files:,} files, {seal.bytes:,} bytes, as they were at {seal.created_at:%Y-%m-%d %H:%M:%S} UTC"
    )
