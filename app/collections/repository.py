"""Queries on collections."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Collection, Image
from app.errors import NotFound
from app.pagination import Paging, page


def get(session: Session, collection_id: UUID, *, lock: bool = False) -> Collection:
    found = session.get(Collection, collection_id, with_for_update=lock or None)
    if found is None:
        raise NotFound(
            f"There is no collection {collection_id}; GET /v1/collections lists them.", code="collection_not_found"
        )
    return found


def listed(session: Session, paging: Paging) -> tuple[list[Collection], str | None]:
    return page(session, select(Collection), paging, Collection.id, value=lambda row: [row.id], descending=True)


def counts(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[str, tuple[int, int]]]:
    """Images and bytes by status, for each collection."""
    rows = session.execute(
        select(Image.collection_id, Image.status, func.count(), func.coalesce(func.sum(Image.bytes), 0))
        .where(Image.collection_id.in_(list(ids)))
        .group_by(Image.collection_id, Image.status)
    )
    found: dict[UUID, dict[str, tuple[int, int]]] = {}
    for collection_id, status, count, size in rows:
        found.setdefault(collection_id, {})[status] = (count, int(size))
    return found
