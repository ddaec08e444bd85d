"""The sample gallery as files: drawn birds in a folder a kind, and beside them what real collections hold as well.

Near-duplicates, an exact duplicate, pictures without a bird and a broken file; `GalleryTruth` says which is which.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.demo.birds import KINDS
from app.demo.pictures import Picture, Shares, pictures


@dataclass(frozen=True)
class GalleryTruth:
    """What was written, by name relative to the folder (`robin/0007.jpg`)."""

    files: tuple[str, ...]
    """every file, the broken one included, sorted"""
    kinds: dict[str, str]
    """readable picture of a bird -> its kind; near and exact duplicates included"""
    near_duplicates: dict[str, str]
    """name -> the picture it is an edited copy of"""
    outliers: tuple[str, ...]
    corrupt: str
    duplicates: dict[str, str]
    """name -> the picture it has the same bytes as"""


def make_gallery(
    folder: Path,
    *,
    seed: int = 0,
    per_kind: int = 30,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
) -> GalleryTruth:
    """Draw the gallery into `folder`; the same seed and `per_kind` give the same bytes.

    `per_kind` >= 1 counts each kind's own pictures, without the copies; `progress(done, total)` is called after each
    drawn picture. `processes` defaults to the machine's cores, at most 4.
    Raises ValueError for per_kind < 1, OSError as the file system does.
    """
    if per_kind < 1:
        raise ValueError(f"per_kind must be at least 1, not {per_kind}")
    shares = Shares((per_kind,) * len(KINDS))
    written: list[Picture] = []
    for done, picture in enumerate(pictures(seed, shares, processes), 1):
        path = folder / picture.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.data)
        written.append(Picture(picture.name, b"", picture.role, picture.original))
        if progress and done <= shares.drawn:
            progress(done, shares.drawn)
    return _truth(written)


def _truth(written: list[Picture]) -> GalleryTruth:
    copies = {
        role: {picture.name: str(picture.original) for picture in written if picture.role == role}
        for role in ("near", "same", "corrupt")
    }
    return GalleryTruth(
        files=tuple(sorted(picture.name for picture in written)),
        kinds={p.name: p.name.split("/")[0] for p in written if p.role not in ("odd", "corrupt")},
        near_duplicates=copies["near"],
        outliers=tuple(picture.name for picture in written if picture.role == "odd"),
        corrupt=next(iter(copies["corrupt"])),
        duplicates=copies["same"],
    )
