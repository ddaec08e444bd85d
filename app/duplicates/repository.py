"""Queries on scans for near-duplicates, their pairs, and the hashes of images."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from app.db.tables import DuplicatePair, DuplicateScan, Image
from app.embeddings import repository as embeddings
from app.images import repository as images


class Pair(NamedTuple):
    first_id: UUID
    second_id: UUID
    similarity: float
    kind: str


class Shown(NamedTuple):
    """What is told of an image of a group."""

    name: str
    pixels: int
    bytes: int


def newest_scan(session: Session, collection_id: UUID) -> DuplicateScan | None:
    query = select(DuplicateScan).where(DuplicateScan.collection_id == collection_id)
    return session.scalars(query.order_by(DuplicateScan.id.desc()).limit(1)).first()


def complete(session: Session, scan: DuplicateScan) -> bool:
    """Whether the scan covers every image of its collection: its set has grown no further, and lacks none."""
    ready = images.count(session, scan.collection_id, "ready")
    return (
        embeddings.newest_shard(session, scan.set_id) == scan.newest_shard
        and embeddings.count(session, scan.set_id) == ready
        and not images.count(session, scan.collection_id, "pending")
    )


def forget(session: Session, collection_id: UUID) -> None:
    """Take every scan of the collection away, with its pairs."""
    session.execute(delete(DuplicateScan).where(DuplicateScan.collection_id == collection_id))


def count(session: Session, scan_id: UUID, similarity: float) -> int:
    query = select(func.count()).where(DuplicatePair.scan_id == scan_id, DuplicatePair.similarity >= similarity)
    return session.execute(query).scalar_one()


def pairs(session: Session, scan_id: UUID, similarity: float) -> Iterator[Pair]:
    """Pairs at least so alike, closest first."""
    query = (
        select(DuplicatePair.first_id, DuplicatePair.second_id, DuplicatePair.similarity, DuplicatePair.kind)
        .where(DuplicatePair.scan_id == scan_id, DuplicatePair.similarity >= similarity)
        .order_by(DuplicatePair.similarity.desc(), DuplicatePair.first_id, DuplicatePair.second_id)
    )
    for row in session.execute(query.execution_options(yield_per=5000)):
        yield Pair(*row)


def shown(session: Session, ids: Sequence[UUID]) -> dict[UUID, Shown]:
    """Those of these images that still exist."""
    found: dict[UUID, Shown] = {}
    for start in range(0, len(ids), images.PARAMETERS):
        query = select(Image.id, Image.name, Image.width, Image.height, Image.bytes)
        for row in session.execute(query.where(Image.id.in_(ids[start : start + images.PARAMETERS]))):
            found[row.id] = Shown(row.name, (row.width or 0) * (row.height or 0), row.bytes)
    return found


def unhashed(session: Session, collection_id: UUID, limit: int) -> list[UUID]:
    """The next ready images without hashes."""
    query = select(Image.id).where(*_unhashed(collection_id)).order_by(Image.id).limit(limit)
    return list(session.scalars(query))


def unhashed_count(session: Session, collection_id: UUID) -> int:
    return session.execute(select(func.count()).select_from(Image).where(*_unhashed(collection_id))).scalar_one()


def hashes(session: Session, collection_id: UUID) -> dict[UUID, tuple[str, int]]:
    """SHA-256 of the pixels and perceptual hash of every image that has them."""
    query = select(Image.id, Image.pixels_sha256, Image.phash).where(
        Image.collection_id == collection_id, Image.pixels_sha256.is_not(None), Image.phash.is_not(None)
    )
    rows = session.execute(query.execution_options(yield_per=5000))
    return {row.id: (row.pixels_sha256, row.phash) for row in rows}


def _unhashed(collection_id: UUID) -> tuple[ColumnElement[bool], ...]:
    missing = or_(Image.pixels_sha256.is_(None), Image.phash.is_(None))
    return Image.collection_id == collection_id, Image.status == "ready", missing
