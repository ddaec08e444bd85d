"""Where an image is in each clustering of its collection, and what people said of that."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.corrections.facts import Facts, Statement
from app.db.tables import Assignment, Cluster, Edit, GroupImage
from app.images import repository
from app.images.schemas import ImagePlaceOut
from app.pagination import Page, Paging, page


def places(session: Session, image_id: UUID, paging: Paging) -> Page[ImagePlaceOut]:
    """Newest clustering first; those made before the image came don't know it. So many queries, however many places."""
    repository.get(session, image_id)
    query = select(Assignment).where(Assignment.image_id == image_id)
    rows, cursor = page(
        session, query, paging, Assignment.clustering_id, value=lambda row: [row.clustering_id], descending=True
    )
    ids = [row.clustering_id for row in rows]
    labels, facts = _labels(session, image_id, ids), _facts(session, image_id, ids)
    barred = {one: said.exclusions().get(image_id, set()) for one, said in facts.items()}
    excluded = _numbers(session, barred)
    items = [
        ImagePlaceOut(
            clustering_id=row.clustering_id,
            cluster=row.number,
            label=labels.get(row.clustering_id),
            distance=row.distance,
            pinned=row.clustering_id in facts and image_id in facts[row.clustering_id].hard,
            excluded=excluded.get(row.clustering_id, []),
            outlier=row.run_number < 0,
            outlier_score=row.outlier_score,
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


def _labels(session: Session, image_id: UUID, clusterings: Iterable[UUID]) -> dict[UUID, str | None]:
    """The name of the cluster that the image is in."""
    query = (
        select(Cluster.clustering_id, Cluster.label)
        .join(Assignment, (Assignment.clustering_id == Cluster.clustering_id) & (Assignment.number == Cluster.number))
        .where(Assignment.image_id == image_id, Assignment.clustering_id.in_(clusterings))
    )
    return {clustering_id: label for clustering_id, label in session.execute(query)}


def _facts(session: Session, image_id: UUID, clusterings: Iterable[UUID]) -> dict[UUID, Facts]:
    """What holds of the image in each clustering where anything was said of it; see app/corrections/facts.py."""
    said: defaultdict[UUID, list[Statement]] = defaultdict(list)
    where = set()
    statements = (
        select(Edit.clustering_id, GroupImage.edit_id, GroupImage.group_id, GroupImage.belongs)
        .join(Edit, Edit.id == GroupImage.edit_id)
        .where(GroupImage.image_id == image_id, Edit.clustering_id.in_(clusterings), Edit.state == "done")
    )
    for clustering_id, edit_id, group_id, belongs in session.execute(statements):
        where.add(clustering_id)
        said[edit_id].append(Statement(image_id, group_id, belongs))
    edits = select(Edit.clustering_id, Edit.id, Edit.effect).where(Edit.clustering_id.in_(where), Edit.state == "done")
    facts: defaultdict[UUID, Facts] = defaultdict(Facts)
    for clustering_id, edit_id, effect in session.execute(edits.order_by(Edit.clustering_id, Edit.revision)):
        facts[clustering_id].hear(effect, said[edit_id])
    return dict(facts)


def _numbers(session: Session, groups: dict[UUID, set[UUID]]) -> dict[UUID, list[int]]:
    """The clusters that these groups are in each clustering; a group that has no images there is none."""
    query = select(Cluster.clustering_id, Cluster.number, Cluster.group_id).where(
        Cluster.clustering_id.in_(groups), Cluster.group_id.in_({one for some in groups.values() for one in some})
    )
    found: dict[UUID, list[int]] = {}
    for clustering_id, number, group_id in session.execute(query.order_by(Cluster.number)):
        if group_id in groups[clustering_id]:
            found.setdefault(clustering_id, []).append(number)
    return found
