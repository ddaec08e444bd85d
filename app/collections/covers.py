"""The images that stand for a collection in a list."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from app.collections import repository
from app.images import repository as images_repository

COVERS = 4


def covers(session: Session, newest: Mapping[UUID, UUID | None]) -> dict[UUID, list[UUID]]:
    """The covers of each collection, whose newest clustering `newest` has; three queries for all of them.

    The most typical image of each of the biggest clusters; of a collection without such, the first that are ready.
    """
    typical = repository.typical(session, [one for one in newest.values() if one], COVERS)
    alive = images_repository.names(session, _all(typical.values()))
    found = {
        collection_id: [image for rows in typical.get(clustering_id, []) if (image := _first(rows, alive))]
        for collection_id, clustering_id in newest.items()
        if clustering_id
    }
    without = [collection_id for collection_id in newest if not found.get(collection_id)]
    return found | repository.first_ready(session, without, COVERS)


def _first(representatives: list[UUID], alive: Mapping[UUID, str]) -> UUID | None:
    """Representatives stay with their cluster when an image is deleted: the next one takes its place."""
    return next((image for image in representatives if image in alive), None)


def _all(clusters: Iterable[list[list[UUID]]]) -> list[UUID]:
    return [image for rows in clusters for representatives in rows for image in representatives]
