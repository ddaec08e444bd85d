"""The rows of an index: unit vectors and ids as plain files, written block by block and read by memory map."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.clustering.unit_vectors import unit_rows
from models.index.base import Block, Ids, IndexDamaged, Manifest
from models.index.scan import RowNumbers

VECTORS, IDS, ORDER = "vectors.f32", "ids.bin", "order.i64"  # (N, D) rows, (N, 16) ids, (N,) rows by ascending id


class Rows:
    """What every kind of index keeps: the exact vectors, and whose they are."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Raises IndexDamaged."""
        count, dim = manifest.count, manifest.dim
        self.vectors: NDArray[np.float32] = _mapped(folder / VECTORS, "<f4", (count, dim))
        self._ids: NDArray[np.uint8] = _mapped(folder / IDS, "u1", (count, 16))
        self._order: NDArray[np.int64] = _mapped(folder / ORDER, "<i8", (count,))

    def __len__(self) -> int:
        return len(self._order)

    def asked(self, queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
        """The queries as unit rows. Raises ValueError for a wrong width, k below 1, or a query without direction."""
        rows = unit_rows(queries)
        if rows.shape[1] != self.vectors.shape[1] or k < 1:
            raise ValueError(f"need k >= 1 and queries (Q, {self.vectors.shape[1]}), not k {k} and {rows.shape}")
        return rows

    def vector(self, identity: UUID) -> NDArray[np.float32] | None:
        """The (D,) unit vector of an image, or None."""
        place = bisect_left(self._order, identity.bytes, key=lambda row: self._ids[row].tobytes())
        if place == len(self) or self._ids[self._order[place]].tobytes() != identity.bytes:
            return None
        return np.array(self.vectors[self._order[place]])

    def ids(self, rows: RowNumbers) -> list[list[UUID]]:
        """Row numbers (Q, K) -> their ids."""
        return [[UUID(bytes=self._ids[row].tobytes()) for row in line] for line in rows]

    def of(self, ids: Ids) -> RowNumbers:
        """The ascending row numbers of these ids; those that are not here are left out."""
        wanted, held = _comparable(id_bytes(ids)), _comparable(self._ids)
        places = np.minimum(np.searchsorted(held, wanted, sorter=self._order), len(self) - 1)
        rows = self._order[places]
        return np.unique(rows[held[rows] == wanted])


def write_rows(blocks: Iterable[Block], folder: Path) -> tuple[int, int]:
    """Write the blocks as they come -> N and D; memory holds one block and all ids.

    Raises ValueError: no vectors, widths that differ, ids that repeat.
    """
    ids, dim = _write_blocks(blocks, folder)
    _write_order(ids, folder / ORDER)
    return len(ids), dim


def id_bytes(ids: Ids) -> NDArray[np.uint8]:
    """N ids in either form -> (N, 16)."""
    if isinstance(ids, np.ndarray):
        if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape[1] != 16:
            raise ValueError(f"ids must be (N, 16) uint8, not {ids.shape} {ids.dtype}")
        return np.ascontiguousarray(ids)
    return np.frombuffer(b"".join(identity.bytes for identity in ids), np.uint8).reshape(-1, 16)


def _write_blocks(blocks: Iterable[Block], folder: Path) -> tuple[NDArray[np.uint8], int]:
    """Append every block to the two files -> all ids (N, 16), and D."""
    kept: list[NDArray[np.uint8]] = []
    dim = 0
    with (folder / VECTORS).open("wb") as vectors_file, (folder / IDS).open("wb") as ids_file:
        for ids, vectors in blocks:
            rows, identities = unit_rows(vectors), id_bytes(ids)
            dim = dim or rows.shape[1]
            if rows.shape != (len(identities), dim):
                raise ValueError(f"a block of {len(identities)} ids has vectors {rows.shape}, width {dim} expected")
            rows.astype("<f4", copy=False).tofile(vectors_file)
            identities.tofile(ids_file)
            kept.append(identities)
    if not kept:
        raise ValueError("there are no vectors to index")
    return np.concatenate(kept), dim


def _write_order(ids: NDArray[np.uint8], path: Path) -> None:
    """Row numbers by ascending id, so that an id is found by bisection. Raises ValueError for ids that repeat."""
    halves = np.ascontiguousarray(ids).view(">u8")
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    repeated = (np.diff(halves[order].astype(np.uint64), axis=0) == 0).all(axis=1)
    if repeated.any():
        raise ValueError(f"id {UUID(bytes=ids[order[repeated.argmax()]].tobytes())} occurs more than once")
    order.astype("<i8").tofile(path)


def _comparable(ids: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """(N, 16) -> (N,) of 16 bytes, which NumPy orders as UUIDs are: it pads with zeros, and all have full length."""
    return np.ascontiguousarray(ids).view("S16").reshape(-1)


def _mapped(path: Path, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        if path.stat().st_size != size:
            raise IndexDamaged(f"{path} does not hold {shape} of {dtype}")
        return np.asarray(np.memmap(path, dtype, "r", shape=shape))
    except OSError as error:
        raise IndexDamaged(f"{path} cannot be opened: {error}") from error
