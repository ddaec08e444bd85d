"""What an index is: an immutable folder that answers nearest-neighbour queries on one embedding set.

The database is the truth and an index can always be built again, so every doubt about its files is IndexDamaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Ids = NDArray[np.uint8] | list[UUID]
Block = tuple[Ids, NDArray[np.float32]]  # ids (B, 16) uint8 or B UUIDs, vectors (B, D)
Progress = Callable[[int, int], None]  # vectors done, of how many; what it raises ends the building


class IndexDamaged(Exception):
    """A file of the index is missing, or is not the one that was built. Build the index again."""

    code: ClassVar[str] = "index_damaged"


class File(BaseModel):
    """A file of the index as it was written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What an index holds and from what: `extra` is the caller's (encoder, generation, ...)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    count: int = Field(ge=1)
    dim: int = Field(ge=1)
    files: dict[str, File]
    extra: dict[str, Any] = {}


class Index(Protocol):
    """An open index. Safe to use from many threads: nothing changes after it was opened."""

    manifest: Manifest

    def __len__(self) -> int:
        """The number of vectors."""
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, only: Ids | None = None
    ) -> tuple[NDArray[np.float32], list[list[UUID]]]:
        """(Q, D) -> cosines (Q, min(k, N)) best first, and the ids beside them; equal scores in the order of adding.

        only: look among these ids alone; those the index does not have count for nothing. Then (Q, min(k, M)) for the
        M that it has. Raises ValueError for a wrong width, k below 1, or a query without direction.
        """
        ...

    def vector(self, identity: UUID) -> NDArray[np.float32] | None:
        """The (D,) unit vector of an image, or None when the index does not have it."""
        ...

    def verify(self) -> None:
        """Read every file and compare its SHA-256. Raises IndexDamaged."""
        ...


@runtime_checkable
class Kind(Protocol):
    """A kind of index: one file in this folder with `Params`, one class and `PLUGIN = TheClass()`."""

    name: str
    summary: str
    Params: type[BaseModel]

    def build(
        self,
        blocks: Iterable[Block],
        folder: Path,
        params: Any = None,
        extra: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Manifest:
        """Write the index of all blocks; the folder is complete or absent, whenever the process dies.

        `progress` is called by kinds that have more to do than to write the blocks. Raises ValueError (no vectors, ids
        that repeat, widths that differ), FileExistsError when the folder exists.
        """
        ...

    def open(self, folder: Path, manifest: Manifest) -> Index:
        """Memory-map a folder whose manifest and file sizes have been checked. Raises IndexDamaged."""
        ...
