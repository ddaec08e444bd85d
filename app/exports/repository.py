"""Queries of exports: page by page, a short transaction each, since a download may take hours."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.db.session import Database
from app.db.tables import Assignment, Cluster, Image

BATCH = 500


class Exported(NamedTuple):
    """An image, and its cluster's number: None in no cluster."""

    image_id: UUID
    name: str
    sha256: str
    format: str
    width: int | None
    height: int | None
    taken_at: datetime | None
    camera: str | None
    created_at: datetime
    distance: float
    number: int | None


def labels(session: Session, clustering_id: UUID) -> dict[int, str | None]:
    """The clusters' labels by number, in that order."""
    query = select(Cluster.number, Cluster.label).where(Cluster.clustering_id == clustering_id)
    return {number: label for number, label in session.execute(query.order_by(Cluster.number))}


def images(database: Database, clustering_id: UUID, number: int | None) -> Iterator[Exported]:
    """A cluster's images, most typical first; None: those in no cluster."""
    query = (
        select(
            Image.id, Image.name, Image.sha256, Image.format, Image.width, Image.height, Image.taken_at, Image.camera,
            Image.created_at, Assignment.distance, Assignment.number,
        )
        .join(Image, Image.id == Assignment.image_id)
        .where(Assignment.clustering_id == clustering_id, Assignment.number.is_not_distinct_from(number))
        .order_by(Assignment.distance, Assignment.image_id)
        .limit(BATCH)
    )  # fmt: skip
    last: Exported | None = None
    while True:
        page = query
        if last:
            key = tuple_(Assignment.distance, Assignment.image_id)
            page = query.where(key > tuple_(last.distance, last.image_id))
        with database.reading() as session:
            rows = [Exported(*row) for row in session.execute(page)]
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1]
