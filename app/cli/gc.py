"""roost gc"""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.failures import failing_clearly


def gc(
    data: Annotated[Path | None, typer.Option(help="The data folder. Default: ./data")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove what nobody needs: stored files without a row and scratch files, both older than a day.

    A killed upload or job may leave some. It may run beside the service.

    Example: roost gc --data ~/roost --dry-run
    """
    from app.maintenance import owner
    from app.maintenance.collect import collect
    from app.maintenance.orphans import GRACE_S

    with failing_clearly("gc"), owner.opened(owner.settings(data)) as res:
        found = collect(res, GRACE_S, dry_run=dry_run)
    for name in [*found.blobs, *(f"tmp/{one}" for one in found.scratch)]:
        print(name)
    done = "would be removed" if dry_run else "removed"
    print(f"{len(found.blobs)} stored and {len(found.scratch)} scratch files, {found.bytes:,} bytes, {done}")
