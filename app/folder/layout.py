"""The pictures of a folder again, in folders by cluster: hard links, which take no room, or copies where links fail."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from app.errors import full_disk_named
from app.exports.names import Unique, last_part, safe_name
from app.folder.scan import NothingToDo

MARK = ".roost"  # lies in a folder that Roost made, and so may make anew


def lay_out(folder: Path, clusters: Iterable[tuple[int, Iterable[str]]], target: Path) -> int:
    """Put each cluster's pictures (names relative to `folder`) into target/cluster-N; how many had to be copied.

    -1 is for pictures in no cluster. `target` is made anew, whole or not at all. Raises NothingToDo when it is there
    and is not Roost's, StorageFull.
    """
    check_ours(target)
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    copied = 0
    with full_disk_named():
        part.mkdir(parents=True)
        (part / MARK).touch()
        for number, names in clusters:
            home = part / (f"cluster-{number}" if number >= 0 else "no-cluster")
            home.mkdir()
            unique = Unique()
            copied += sum(_placed(folder / name, home / unique(safe_name(last_part(name)))) for name in names)
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    return copied


def check_ours(target: Path) -> None:
    """Raises NothingToDo when something is there that Roost did not make."""
    if target.exists() and not (target / MARK).exists():
        raise NothingToDo(f"{target} is there and was not made by Roost; move it away, or choose another --out.")


def _placed(source: Path, target: Path) -> bool:
    """Whether it had to be copied."""
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, a file system without links, or too many of them
        shutil.copy2(source, target)
        return True
    return False
