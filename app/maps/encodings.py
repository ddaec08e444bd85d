"""A map as bytes: an Arrow stream, or plain arrays that JavaScript reads without a library."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ARROW = "application/vnd.apache.arrow.stream"
RAW = "application/octet-stream"
NO_CLUSTER = -1  # in the plain array; the Arrow column has a null there
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # Arrow columnar format, "IPC streaming format"


class Shown(NamedTuple):
    """ids (B, 16) uint8, points (B, 2) float32, clusters (B,) int32 with NO_CLUSTER."""

    ids: NDArray[np.uint8]
    points: NDArray[np.float32]
    clusters: NDArray[np.int32]


def arrow(blocks: Iterator[Shown]) -> Iterator[bytes]:
    """image_id (UUID), x, y (float32), cluster (int32 or null); a record batch a block."""
    import pyarrow as pa

    columns = [("image_id", pa.uuid()), ("x", pa.float32()), ("y", pa.float32()), ("cluster", pa.int32())]
    schema = pa.schema(columns)
    yield schema.serialize().to_pybytes()
    for block in blocks:
        ids = pa.Array.from_buffers(pa.binary(16), len(block.ids), [None, pa.py_buffer(block.ids)])
        arrays = [
            pa.ExtensionArray.from_storage(pa.uuid(), ids),
            np.ascontiguousarray(block.points[:, 0]),
            np.ascontiguousarray(block.points[:, 1]),
            pa.array(block.clusters, mask=block.clusters == NO_CLUSTER),
        ]
        yield pa.record_batch(arrays, schema=schema).serialize().to_pybytes()
    yield _END_OF_STREAM


def points(blocks: Iterator[Shown]) -> Iterator[bytes]:
    """x and y, x and y, ... as little-endian float32."""
    return (block.points.astype("<f4").tobytes() for block in blocks)


def ids(blocks: Iterator[Shown]) -> Iterator[bytes]:
    """16 bytes an image."""
    return (block.ids.tobytes() for block in blocks)


def clusters(blocks: Iterator[Shown]) -> Iterator[bytes]:
    """Little-endian int32."""
    return (block.clusters.astype("<i4").tobytes() for block in blocks)


ENCODINGS: dict[str, tuple[str, Callable[[Iterator[Shown]], Iterator[bytes]]]] = {
    "arrow": (ARROW, arrow),
    "float32": (RAW, points),
    "ids": (RAW, ids),
    "clusters": (RAW, clusters),
}
