"""A map on disk: an Arrow IPC file of ids and coordinates, read block by block and memory-mapped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

ROWS = 16_384  # a block


class Block(NamedTuple):
    """ids (B, 16) uint8, points (B, 2) float32."""

    ids: NDArray[np.uint8]
    points: NDArray[np.float32]


def uuids(ids: NDArray[np.uint8]) -> list[UUID]:
    """(N, 16) -> N ids."""
    return [UUID(bytes=row.tobytes()) for row in ids]


def joined(blocks: list[Block]) -> Block:
    """One after the other."""
    return Block(np.concatenate([block.ids for block in blocks]), np.concatenate([block.points for block in blocks]))


def home(prefix: str, clustering_id: UUID) -> str:
    """The folder of a clustering's maps in the storage; only the one that its row names is in use."""
    return f"{prefix}/maps/{clustering_id}"


def write(path: Path, made: Block) -> Path:
    """The file at `path`, in the order of the rows."""
    import pyarrow as pa

    schema = pa.schema([("image_id", pa.binary(16)), ("x", pa.float32()), ("y", pa.float32())])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for start in range(0, len(made.ids), ROWS):
            part = slice(start, start + ROWS)
            columns = [_fixed(made.ids[part]), *_columns(made.points[part])]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path


class MapFile:
    """An open map. It stays readable when a newer one takes its place."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError."""
        import pyarrow as pa

        self._reader: Any = pa.ipc.open_file(pa.memory_map(str(path)))

    def blocks(self) -> Iterator[Block]:
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            raw = np.frombuffer(batch.column(0).buffers()[1], np.uint8)
            start = batch.column(0).offset * 16
            ids = raw[start : start + 16 * batch.num_rows].reshape(-1, 16)
            yield Block(ids, np.stack([batch.column(1).to_numpy(), batch.column(2).to_numpy()], axis=1))

    def whole(self) -> Block:
        """All of it: 24 bytes an image."""
        return joined(list(self.blocks()))


def _fixed(ids: NDArray[np.uint8]) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.binary(16), len(ids), [None, pa.py_buffer(np.ascontiguousarray(ids))])


def _columns(points: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [np.ascontiguousarray(points[:, axis], np.float32) for axis in (0, 1)]
