"""Two clusterings of one collection, compared where the images are now; in memory that does not grow with them."""

from uuid import UUID

from sqlalchemy import Integer, column, func, select, values
from sqlalchemy.orm import Session, aliased

from app.corrections.schemas import DiffOut, MovedOut, PlaceOut
from app.db.tables import Assignment, Cluster, Clustering
from app.errors import Invalid
from app.images import repository as images_repository
from app.pagination import Paging, page
from models.clustering.base import OUTLIER
from models.clustering.compare import Comparison, TooManyClusters, compare

Before, After = aliased(Assignment), aliased(Assignment)


def compared(session: Session, before: Clustering, after: Clustering, paging: Paging) -> DiffOut:
    if before.collection_id != after.collection_id:
        raise Invalid("Compare two clusterings of the same collection.", code="not_comparable")
    found = _comparison(session, before, after)
    if found is None:
        return DiffOut(images=0, changed=0, ari=None, nmi=None, matches={}, items=[], next_cursor=None)
    items, cursor = _moved(session, before, after, found, paging)
    return DiffOut(
        images=found.images,
        changed=found.changed,
        ari=found.ari,
        nmi=found.nmi,
        matches=found.matches,
        items=items,
        next_cursor=cursor,
    )


def _comparison(session: Session, before: Clustering, after: Clustering) -> Comparison | None:
    """None when no image is in both."""
    pairs = (
        select(func.coalesce(Before.number, OUTLIER), func.coalesce(After.number, OUTLIER), func.count())
        .join(After, After.image_id == Before.image_id)
        .where(Before.clustering_id == before.id, After.clustering_id == after.id)
        .group_by(Before.number, After.number)
    )
    counts = [(b, a, n) for b, a, n in session.execute(pairs)]
    try:
        return compare(counts) if counts else None
    except TooManyClusters as error:
        raise Invalid(f"These can't be compared: {error}.", code=error.code) from error


def _moved(
    session: Session, before: Clustering, after: Clustering, found: Comparison, paging: Paging
) -> tuple[list[MovedOut], str | None]:
    matched = values(column("was", Integer), column("became", Integer), name="pairs", literal_binds=True)
    same = matched.data([(OUTLIER, OUTLIER), *found.matches.items()]).cte("same")
    changed = (
        select(After)
        .join(Before, Before.image_id == After.image_id)
        .outerjoin(
            same,
            (same.c.was == func.coalesce(Before.number, OUTLIER))
            & (same.c.became == func.coalesce(After.number, OUTLIER)),
        )
        .where(Before.clustering_id == before.id, After.clustering_id == after.id, same.c.was.is_(None))
    )
    rows, cursor = page(session, changed, paging, After.image_id, value=lambda row: [row.image_id])
    ids = [row.image_id for row in rows]
    names = images_repository.names(session, ids)
    was = _places(session, before.id, ids)
    now = _places(session, after.id, ids)
    items = [MovedOut(image_id=i, name=names.get(i, ""), before=was[i], after=now[i]) for i in ids]
    return items, cursor


def _places(session: Session, clustering_id: UUID, ids: list[UUID]) -> dict[UUID, PlaceOut]:
    query = (
        select(Assignment.image_id, Assignment.number, Cluster.label)
        .outerjoin(Cluster, (Cluster.clustering_id == clustering_id) & (Cluster.number == Assignment.number))
        .where(Assignment.clustering_id == clustering_id, Assignment.image_id.in_(ids))
    )
    return {i: PlaceOut(cluster=number, label=label) for i, number, label in session.execute(query)}
