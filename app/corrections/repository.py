"""Queries on edits and what they move. Whole clusters move by one statement, however many images they have."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import exists, func, insert, literal, select, update
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Assignment, Centre, Cluster, Clustering, Edit, EditMove, EmbeddingSet, Group, GroupImage
from app.errors import NotFound
from app.images.repository import PARAMETERS
from app.pagination import Paging, page

Item = TypeVar("Item")
CARRIED = "carried"  # the edit that stands for all corrections of the clustering before; it can't be undone


class Place(NamedTuple):
    number: int | None
    distance: float


class Move(NamedTuple):
    image_id: UUID
    before: Place
    after: Place


def lock(session: Session, clustering_id: UUID) -> Clustering:
    """The clustering; nobody else changes its clusters until this transaction ends."""
    if found := session.get(Clustering, clustering_id, with_for_update=True, populate_existing=True):
        return found
    raise NotFound(f"There is no clustering {clustering_id}.", code="clustering_not_found")


def raise_revision(session: Session, clustering: Clustering) -> bool:
    """Compare-and-set: whether the revision still was the one that was seen."""
    seen = clustering.revision
    raised = session.execute(
        update(Clustering)
        .where(Clustering.id == clustering.id, Clustering.revision == seen)
        .values(revision=seen + 1)
        .returning(Clustering.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(clustering, ["revision"])
    return raised is not None


def set_of(session: Session, clustering: Clustering) -> UUID:
    """The embedding set that was clustered."""
    query = select(EmbeddingSet.id).where(
        EmbeddingSet.collection_id == clustering.collection_id,
        EmbeddingSet.encoder_id == clustering.encoder_id,
        EmbeddingSet.sha256 == clustering.encoder_sha256,
    )
    return session.scalars(query).one()


def history(session: Session, clustering_id: UUID, paging: Paging) -> tuple[list[Edit], str | None]:
    query = select(Edit).where(Edit.clustering_id == clustering_id)
    return page(session, query, paging, Edit.revision, value=lambda row: [row.revision], descending=True)


def edit(session: Session, clustering_id: UUID, edit_id: UUID) -> Edit:
    found = session.get(Edit, edit_id)
    if found and found.clustering_id == clustering_id:
        return found
    raise NotFound(f"There is no edit {edit_id} of this clustering.", code="edit_not_found")


def last_done(session: Session, clustering_id: UUID) -> Edit | None:
    query = select(Edit).where(Edit.clustering_id == clustering_id, Edit.state == "done", Edit.kind != CARRIED)
    return session.scalars(query.order_by(Edit.revision.desc()).limit(1)).first()


def first_undone(session: Session, clustering_id: UUID) -> Edit | None:
    query = select(Edit).where(Edit.clustering_id == clustering_id, Edit.state == "undone")
    return session.scalars(query.order_by(Edit.revision).limit(1)).first()


def drop_undone(session: Session, clustering_id: UUID) -> None:
    """What was undone can't be done again once something else is."""
    session.execute(
        update(Edit)
        .where(Edit.clustering_id == clustering_id, Edit.state == "undone")
        .values(state="dropped")
        .execution_options(synchronize_session="fetch")
    )


def places(session: Session, clustering_id: UUID, images: Sequence[UUID]) -> dict[UUID, Place]:
    """Where each of these images is. NotFound for one that is not in the clustering."""
    found = known_places(session, clustering_id, images)
    for image_id in images:
        if image_id not in found:
            raise NotFound(f"There is no image {image_id} in this clustering.", code="image_not_found")
    return found


def known_places(session: Session, clustering_id: UUID, images: Sequence[UUID]) -> dict[UUID, Place]:
    """Where each of these images is, if it is in the clustering."""
    found: dict[UUID, Place] = {}
    for part in _parts(images):
        rows = session.execute(
            select(Assignment.image_id, Assignment.number, Assignment.distance).where(
                Assignment.clustering_id == clustering_id, Assignment.image_id.in_(part)
            )
        )
        found |= {image_id: Place(number, distance) for image_id, number, distance in rows}
    return found


def members(session: Session, clustering_id: UUID, number: int) -> dict[UUID, Place]:
    """A whole cluster, most typical first."""
    query = select(Assignment.image_id, Assignment.distance).where(
        Assignment.clustering_id == clustering_id, Assignment.number == number
    )
    rows = session.execute(query.order_by(Assignment.distance, Assignment.image_id))
    return {image_id: Place(number, distance) for image_id, distance in rows}


def note_moves(session: Session, edit_id: UUID, moves: Iterable[Move]) -> None:
    rows = (
        {
            "edit_id": edit_id,
            "image_id": move.image_id,
            "before": move.before.number,
            "after": move.after.number,
            "distance_before": move.before.distance,
            "distance_after": move.after.distance,
        }
        for move in moves
    )
    while part := list(islice(rows, PARAMETERS)):
        session.execute(insert(EditMove), part)


def note_all_in(session: Session, edit: Edit, numbers: Sequence[int], *, before: int | None, after: int | None) -> None:
    """A move of every image in these clusters that the edit has not moved yet; the side that is null is where it is.

    An image keeps its distance: it is to the centre that it joined by, which moves along.
    """
    known = exists().where(EditMove.edit_id == edit.id, EditMove.image_id == Assignment.image_id)
    there = select(
        literal(edit.id, EditMove.edit_id.type),
        Assignment.image_id,
        Assignment.number if before is None else literal(before),
        Assignment.number if after is None else literal(after),
        Assignment.distance,
        Assignment.distance,
    ).where(Assignment.clustering_id == edit.clustering_id, Assignment.number.in_(numbers), ~known)
    columns = ["edit_id", "image_id", "before", "after", "distance_before", "distance_after"]
    session.execute(insert(EditMove).from_select(columns, there))


def replay(session: Session, edit: Edit, *, forward: bool) -> None:
    """Put every image the edit moved where it was after it, or before."""
    number, distance = (
        (EditMove.after, EditMove.distance_after) if forward else (EditMove.before, EditMove.distance_before)
    )
    session.execute(
        update(Assignment)
        .where(
            EditMove.edit_id == edit.id,
            Assignment.clustering_id == edit.clustering_id,
            Assignment.image_id == EditMove.image_id,
        )
        .values(number=number, distance=distance)
        .execution_options(synchronize_session=False)
    )


def touched(session: Session, edit_id: UUID) -> set[int]:
    """The clusters that images of this edit left or came to."""
    numbers: set[int] = set()
    for column in (EditMove.before, EditMove.after):
        found = session.scalars(select(column).where(EditMove.edit_id == edit_id).distinct())
        numbers |= {number for number in found if number is not None}
    return numbers


def moved(session: Session, edits: Sequence[Edit]) -> dict[UUID, int]:
    """How many images each of these edits took to another cluster."""
    rows = session.execute(
        select(EditMove.edit_id, func.count())
        .where(EditMove.edit_id.in_([edit.id for edit in edits]), EditMove.before.is_distinct_from(EditMove.after))
        .group_by(EditMove.edit_id)
    )
    return {edit_id: count for edit_id, count in rows}


def clusters(session: Session, clustering_id: UUID, numbers: Iterable[int]) -> list[Cluster]:
    rows: list[Cluster] = []
    for part in _parts(sorted(numbers)):
        query = select(Cluster).where(Cluster.clustering_id == clustering_id, Cluster.number.in_(part))
        rows += session.scalars(query.order_by(Cluster.number))
    return rows


def of_groups(session: Session, clustering_id: UUID) -> dict[UUID, int]:
    """The cluster that each group is."""
    query = select(Cluster.group_id, Cluster.number).where(
        Cluster.clustering_id == clustering_id, Cluster.group_id.is_not(None)
    )
    return {group_id: number for group_id, number in session.execute(query) if group_id}


def size(session: Session, clustering_id: UUID, number: int) -> int:
    query = select(func.count()).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    return session.execute(query).scalar_one()


def no_cluster(number: int) -> NotFound:
    return NotFound(f"There is no cluster {number} in this clustering now.", code="cluster_not_found")


def next_number(session: Session, clustering_id: UUID) -> int:
    """One that no cluster ever had here: rows of clusters stay, also of those that are gone."""
    last = session.execute(select(func.max(Cluster.number)).where(Cluster.clustering_id == clustering_id)).scalar_one()
    return int(last) + 1


def distances(session: Session, clustering_id: UUID, number: int) -> list[float]:
    """Of a cluster's images, in rising order."""
    query = select(Assignment.distance).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    return list(session.scalars(query.order_by(Assignment.distance)))


def by_typicality(session: Session, clustering_id: UUID, number: int, block: int) -> Iterator[list[UUID]]:
    """A cluster's images, most typical first, as many at a time as are asked for."""
    query = select(Assignment.image_id).where(Assignment.clustering_id == clustering_id, Assignment.number == number)
    ordered = query.order_by(Assignment.distance, Assignment.image_id).limit(block)
    start = 0
    while part := list(session.scalars(ordered.offset(start))):
        yield part
        start += block


def new_group(session: Session, collection_id: UUID, *, outside: bool = False) -> Group:
    made = Group(collection_id=collection_id, outside=outside, created_at=now(session))
    session.add(made)
    session.flush()
    return made


def outside(session: Session, collection_id: UUID) -> UUID | None:
    """The group of what is in no cluster."""
    query = select(Group.id).where(Group.collection_id == collection_id, Group.outside)
    return session.scalars(query.order_by(Group.id).limit(1)).first()


def say(session: Session, edit_id: UUID, statements: Iterable[tuple[UUID, UUID, bool | None]]) -> None:
    """(image, group, belongs) of each."""
    rows = ({"edit_id": edit_id, "image_id": i, "group_id": g, "belongs": b} for i, g, b in statements)
    while part := list(islice(rows, PARAMETERS)):
        session.execute(insert(GroupImage), part)


def centres(session: Session, clustering_id: UUID) -> list[Centre]:
    return list(session.scalars(select(Centre).where(Centre.clustering_id == clustering_id).order_by(Centre.id)))


def filled(session: Session, clustering_id: UUID) -> list[int]:
    """The clusters that are there: one without images is gone."""
    return list(session.scalars(select(Cluster.number).where(Cluster.clustering_id == clustering_id, Cluster.size > 0)))


def newest_corrected(session: Session, collection_id: UUID) -> Clustering | None:
    """The collection's newest clustering that anything was said of."""
    said = exists().where(Edit.clustering_id == Clustering.id, Edit.state == "done")
    query = select(Clustering).where(Clustering.collection_id == collection_id, said)
    return session.scalars(query.order_by(Clustering.id.desc()).limit(1)).first()


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), PARAMETERS):
        yield items[start : start + PARAMETERS]
