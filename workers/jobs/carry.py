"""What people said of the clustering before holds for the new one: applied as its first edit, which can't be undone.

`prepare` takes its time outside of any transaction, `publish` writes; when somebody edits in between, it looks again.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.corrections import repository
from app.corrections.facts import Facts, in_force
from app.corrections.repository import Place
from app.corrections.work import Work, set_centre
from app.db.session import now
from app.db.tables import Assignment, Centre, Cluster, Clustering, Edit, Image
from app.images.repository import PARAMETERS
from app.storage import Storage
from models.clustering.base import Clustering as Run
from models.clustering.constraints import NO_GROUP, OUTSIDE, RETIRED, UNKNOWN, Carried, carry


@dataclass(frozen=True, eq=False)
class Corrections:
    """What was said of a clustering at a revision, and the new run with it. `groups` and `names` of each group."""

    parent: UUID
    revision: int
    groups: list[UUID]
    names: list[str | None]
    carried: Carried
    facts: Facts


def prepare(
    session: Session, collection_id: UUID, ids: list[UUID], vectors: np.ndarray, run: Run
) -> Corrections | None:
    """The run with the corrections of the newest clustering that has any; None when there are none.

    `ids` and `vectors` (N, D) are the images of the run, in its order.
    """
    parent = repository.newest_corrected(session, collection_id)
    if parent is None:
        return None
    clusters = _grouped(session, parent.id)
    groups = [row.group_id for row in clusters if row.group_id]
    outside = repository.outside(session, collection_id)
    said = _of_groups(in_force(session, parent.id), {*groups, *([outside] if outside else [])})
    place = {image: row for row, image in enumerate(ids)}
    index = {group: number for number, group in enumerate(groups)}
    hard = {place[i]: index.get(group, OUTSIDE) for i, group in said.hard.items() if i in place}
    never = {(place[i], index[group]) for i, group in said.never if i in place and group in index}
    apart = [(index[one], index[other]) for one, other in map(tuple, said.apart)]
    soft = _soft(session, parent.id, {row.number: number for number, row in enumerate(clusters)}, place)
    carried = carry(vectors, run, soft, len(groups), hard, never, apart)
    return Corrections(parent.id, parent.revision, groups, [row.label for row in clusters], carried, said)


def publish(
    session: Session,
    storage: Storage,
    clustering_id: UUID,
    ids: list[UUID],
    vectors: np.ndarray,
    run: Run,
    prepared: Corrections | None,
) -> None:
    """Write the corrections beside the run, whose own rows are written already."""
    clustering = session.get_one(Clustering, clustering_id)
    if not _newest(session, clustering.collection_id, prepared):
        prepared = prepare(session, clustering.collection_id, ids, vectors, run)
    if prepared is None:
        return
    clustering.parent_id = prepared.parent
    alive = _alive(session, ids)
    edit = Edit(
        clustering_id=clustering_id, revision=clustering.revision, kind=repository.CARRIED,
        params=_summary(prepared), effect={}, who=None, created_at=now(session),
    )  # fmt: skip
    session.add(edit)
    session.flush()
    work = Work(session, storage, clustering, edit)
    _clusters(work, prepared, run)
    _centres(work, prepared.carried, run)
    _moves(work, prepared.carried, run, ids, alive)
    _say(work, prepared.facts, alive)
    work.settle()


def _newest(session: Session, collection_id: UUID, prepared: Corrections | None) -> bool:
    """Whether nothing was said since. From here to the end of the transaction nothing will be."""
    parent = repository.newest_corrected(session, collection_id)
    if parent is None or prepared is None:
        return parent is None and prepared is None
    revision = repository.lock(session, parent.id).revision
    return (parent.id, revision) == (prepared.parent, prepared.revision)


def _grouped(session: Session, clustering_id: UUID) -> list[Cluster]:
    query = select(Cluster).where(
        Cluster.clustering_id == clustering_id, Cluster.size > 0, Cluster.group_id.is_not(None)
    )
    return list(session.scalars(query.order_by(Cluster.number)))


def _of_groups(said: Facts, groups: set[UUID]) -> Facts:
    """Without what was said of clusters that are gone."""
    return Facts(
        {image: group for image, group in said.hard.items() if group in groups},
        {(image, group) for image, group in said.never if group in groups},
        {pair for pair in said.apart if pair <= groups},
    )


def _soft(session: Session, clustering_id: UUID, group_of: dict[int, int], place: dict[UUID, int]) -> np.ndarray:
    """(N,) the group whose cluster each image is in."""
    soft = np.full(len(place), UNKNOWN, np.int32)
    query = select(Assignment.image_id, Assignment.number).where(
        Assignment.clustering_id == clustering_id, Assignment.number.is_not(None)
    )
    for image_id, number in session.execute(query.execution_options(yield_per=10_000)):
        if image_id in place and number is not None:
            soft[place[image_id]] = group_of.get(number, NO_GROUP)
    return soft


def _alive(session: Session, ids: list[UUID]) -> set[UUID]:
    """Without those that were deleted while the run was made."""
    alive: set[UUID] = set()
    for start in range(0, len(ids), PARAMETERS):
        alive |= set(session.scalars(select(Image.id).where(Image.id.in_(ids[start : start + PARAMETERS]))))
    return alive


def _summary(prepared: Corrections) -> dict[str, str | int]:
    said = prepared.facts
    return {
        "from": str(prepared.parent),
        "revision": prepared.revision,
        "clusters": len(prepared.groups),
        "names": sum(name is not None for name in prepared.names),
        "images": len(said.hard),
        "exclusions": len(said.never),
    }


def _clusters(work: Work, prepared: Corrections, run: Run) -> None:
    """Rows for clusters that the run does not have, and each group's name on the cluster that it is now."""
    carried = prepared.carried
    for number in range(run.k, len(carried.groups)):
        came_from = run.labels[carried.labels == number]
        whole = work.cluster(int(np.bincount(came_from[came_from >= 0], minlength=1).argmax()))
        work.new_cluster(whole, prepared.groups[carried.groups[number]])
    work.session.flush()
    for number, group in enumerate(carried.groups.tolist()):
        if group != NO_GROUP:
            row = work.session.get_one(Cluster, (work.clustering.id, number))
            row.group_id, row.label = prepared.groups[group], prepared.names[group]


def _centres(work: Work, carried: Carried, run: Run) -> None:
    for one, home in enumerate(carried.homes.tolist()):
        number = None if home == RETIRED else home
        if one >= run.k:
            vector = carried.centres[one].astype("<f4").tobytes()
            work.session.add(Centre(clustering_id=work.clustering.id, id=one, number=number, vector=vector))
        elif number != one:
            set_centre(work.session, work.clustering.id, one, number)
    work.session.flush()


def _moves(work: Work, carried: Carried, run: Run, ids: list[UUID], alive: set[UUID]) -> None:
    rows = np.flatnonzero((carried.labels != run.labels) | (carried.distances != run.distances))
    before = {ids[row]: Place(_number(run.labels[row]), float(run.distances[row])) for row in rows}
    after = ((ids[row], _number(carried.labels[row]), float(carried.distances[row])) for row in rows)
    work.move(before, (one for one in after if one[0] in alive))


def _number(label: np.int32) -> int | None:
    return None if label < 0 else int(label)


def _say(work: Work, said: Facts, alive: set[UUID]) -> None:
    """All that holds, said anew, so that the earlier clustering may change or go."""
    work.effect["pairs"] = [[str(group) for group in pair] for pair in said.apart]
    work.say((image, group, True) for image, group in said.hard.items() if image in alive)
    work.say((image, group, False) for image, group in said.never if image in alive)
