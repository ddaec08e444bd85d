"""Indexes: nearest-neighbour search on one embedding set, one file a kind."""

from __future__ import annotations

from pathlib import Path

from models import registry
from models.index.base import Index, IndexDamaged, Kind, Manifest
from models.index.sealed import read_manifest

__all__ = ["Index", "IndexDamaged", "Kind", "Manifest", "kind_for", "open_index"]

EXACT_BELOW = 50_000  # vectors; from here on a comparison with all takes tens of milliseconds


def kind_for(count: int) -> str:
    """The name of the kind that suits so many vectors."""
    return "exact" if count < EXACT_BELOW else "ivf"


def open_index(folder: Path, *, verify: bool = False) -> Index:
    """Open an index of any kind, memory-mapped; sizes are always checked, with `verify` every byte (SHA-256).

    Raises IndexDamaged.
    """
    manifest = read_manifest(folder)
    try:
        kind: Kind = registry.load("index", manifest.kind)
    except registry.UnknownPlugin as error:
        raise IndexDamaged(f"{folder}: {error}") from error
    index = kind.open(folder, manifest)
    if verify:
        index.verify()
    return index
