"""Assignments as CSV, JSON or Parquet, streamed row by row."""

import io
import json
from collections.abc import Callable, Iterator
from itertools import islice

from app.clusterings.repository import Member
from app.spreadsheet import lines

COLUMNS = ("image_id", "name", "cluster_id", "label", "distance")
BATCH = 10_000


def as_csv(members: Iterator[Member]) -> Iterator[bytes]:
    """An image in no cluster has neither number nor label."""
    rows = ((row.image_id, row.name, row.number, row.label, f"{row.distance:.6f}") for row in members)
    return lines(COLUMNS, rows)


def as_json(members: Iterator[Member]) -> Iterator[bytes]:
    """One JSON array, an object a line."""
    start = b"["
    for row in members:
        yield start + json.dumps(dict(zip(COLUMNS, (str(row.image_id), *row[1:]), strict=True))).encode()
        start = b",\n"
    yield b"]" if start != b"[" else b"[]"


def as_parquet(members: Iterator[Member]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("image_id", pa.string()),
            ("name", pa.string()),
            ("cluster_id", pa.int32()),
            ("label", pa.string()),
            ("distance", pa.float64()),
        ]
    )
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        while batch := list(islice(members, BATCH)):
            columns = list(zip(*((str(row.image_id), *row[1:]) for row in batch), strict=True))
            writer.write_batch(pa.record_batch(columns, schema=schema))
            yield sink.take()
    yield sink.take()


FORMATS: dict[str, tuple[str, Callable[[Iterator[Member]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}


class _Sink(io.RawIOBase):
    """A file that is only written to, and handed on piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(piece))
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
