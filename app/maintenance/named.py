"""Every blob that the rows of a collection name, and how each is checked.

A new kind of blob is a few lines here; without them `roost gc` would take it for an orphan.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.collections.service import checkpoints_folder, prefix
from app.db.session import Database
from app.db.tables import Clustering, Embedding, EmbeddingSet, EmbeddingShard, Encoder, Image, Job, SearchIndex
from app.embeddings import repository as embeddings
from app.images.service import large_key, original_key, working_key
from app.jobs.ledger import FINAL
from app.maintenance import checks
from app.uploads import repository as uploads

PAGE = 1000  # rows a transaction: one that is open for hours would keep SQLite's log growing
GONE = "file_missing"  # the code of an image whose original is known to be lost

BRINGING = ("ingest", "fetch")  # jobs whose input holds pictures or their addresses

ORIGINAL, WORKING, LARGE = "original", "working copy", "large copy"
SHARD, INDEX, MAP = "shard", "index", "map"
Row = TypeVar("Row", Image, EmbeddingShard)


@dataclass(frozen=True)
class Named:
    """A blob that a row names: a file, a folder that is one thing, or (`below`) whatever may lie under a prefix."""

    what: str
    key: str
    row: UUID
    check: Callable[[Path], str | None] = checks.present
    required: bool = True
    below: bool = False


def of_collection(database: Database, collection_id: UUID) -> Iterator[Named]:
    """Read page by page, each in a transaction of its own.

    Jobs come first: one that ends while all this is read has then either been seen at work, or its rows are seen.
    """
    with database.reading() as session:
        yield from _jobs(session, collection_id)
    yield from _images(database, collection_id)
    with database.reading() as session:
        yield from _uploads(session, collection_id)
        yield from _encoders(session, collection_id)
        yield from _clusterings(session, collection_id)
        sets = session.scalars(select(EmbeddingSet).where(EmbeddingSet.collection_id == collection_id)).all()
    for one in sets:
        yield from _shards(database, one)
        yield from _indexes(database, one)


def going(session: Session) -> list[str]:
    """Prefixes that a job which is still to run will remove: what lies there is nobody's loss."""
    query = select(Job.params).where(Job.kind == "sweep", Job.state.not_in(FINAL))
    return [one for params in session.scalars(query) for one in params.get("prefixes") or [params["prefix"]]]


def _images(database: Database, collection_id: UUID) -> Iterator[Named]:
    for row in _paged(database, Image, Image.collection_id == collection_id):
        key = original_key(collection_id, row.id, row.sha256)
        whole = partial(checks.file, row.sha256, row.bytes)
        yield Named(ORIGINAL, key, row.id, whole, required=row.error_code != GONE)
        # the hash is taken when near-duplicates are searched for; without one a copy can only be decoded
        copy = partial(checks.file, row.pixels_sha256, None) if row.pixels_sha256 else checks.picture
        yield Named(WORKING, working_key(collection_id, row.id), row.id, copy, required=row.status == "ready")
        yield Named(LARGE, large_key(collection_id, row.id), row.id, checks.picture, required=False)


def _jobs(session: Session, collection_id: UUID) -> Iterator[Named]:
    """Inputs and reports; and what an unfinished job keeps for its next attempt."""
    home = prefix(collection_id)
    for row in session.scalars(select(Job).where(Job.collection_id == collection_id)):
        unfinished = row.state not in FINAL
        if row.input_key and "upload" not in row.params:  # that one's pieces are named by rows of their own
            yield Named("input", row.input_key, row.id, required=unfinished)
        if row.report_key:
            yield Named("report", row.report_key, row.id)
        if unfinished:
            for suffix in ("unpacked", "ndjson"):
                yield Named("report", f"{home}/reports/{row.id}.{suffix}", row.id, required=False)
            kept = f"{checkpoints_folder(collection_id)}/{row.id}"
            yield Named("checkpoint", kept, row.id, required=False, below=True)
            if row.kind in BRINGING and row.input_key:  # the next attempt gives what this one stored the same keys
                yield Named("originals to come", f"{home}/originals", row.id, required=False, below=True)


def _uploads(session: Session, collection_id: UUID) -> Iterator[Named]:
    for piece, needed in uploads.named(session, collection_id):
        whole = partial(checks.file, piece.sha256, piece.size)
        yield Named("uploaded piece", piece.key, piece.upload_id, whole, required=needed)


def _encoders(session: Session, collection_id: UUID) -> Iterator[Named]:
    for row in session.scalars(select(Encoder).where(Encoder.collection_id == collection_id)):
        if row.key:
            yield Named("encoder", row.key, row.id, partial(checks.encoder, row))


def _clusterings(session: Session, collection_id: UUID) -> Iterator[Named]:
    for row in session.scalars(select(Clustering).where(Clustering.collection_id == collection_id)):
        yield Named("centres", row.centres_key, row.id, checks.centres)
        if row.tree_key:
            yield Named("tree", row.tree_key, row.id, checks.tree)
        if row.map_key:
            yield Named(MAP, row.map_key, row.id, checks.plane)


def _shards(database: Database, one: EmbeddingSet) -> Iterator[Named]:
    last = select(Embedding.shard_id, func.max(Embedding.row)).where(Embedding.set_id == one.id)
    with database.reading() as session:
        highest = {shard: row for shard, row in session.execute(last.group_by(Embedding.shard_id))}
    for row in _paged(database, EmbeddingShard, EmbeddingShard.set_id == one.id):
        yield Named(SHARD, row.key, row.id, partial(checks.shard, row, one.dim, highest.get(row.id)))


def _indexes(database: Database, one: EmbeddingSet) -> Iterator[Named]:
    with database.reading() as session:
        rows = embeddings.indexes(session, one.id)
        known = [(row, _generation(session, row)) for row in rows]
    for row, ids in known:
        yield Named(INDEX, row.key, row.id, partial(checks.index, row, ids))


def _generation(session: Session, row: SearchIndex) -> NDArray[np.uint8]:
    """(N, 16) the ids of the images whose vectors were there when the index was built, and still are."""
    query = select(Embedding.image_id).where(Embedding.set_id == row.set_id, Embedding.shard_id <= row.newest_shard)
    raw = b"".join(one.bytes for one in session.scalars(query.execution_options(yield_per=10_000)))
    return np.frombuffer(raw, np.uint8).reshape(-1, 16)


def _paged(database: Database, table: type[Row], *of: ColumnElement[bool]) -> Iterator[Row]:
    last: UUID | None = None
    while True:
        with database.reading() as session:
            page = select(table).where(*of, *([table.id > last] if last else []))
            rows = session.scalars(page.order_by(table.id).limit(PAGE)).all()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1].id
