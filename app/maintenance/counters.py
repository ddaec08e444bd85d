"""Is as much used as there is? The counters of each owner against the rows that they count."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select, update

from app.db.session import Database
from app.db.tables import Collection, Image, Owner
from app.maintenance.findings import Finding

QUOTA = "quota"


def findings(database: Database) -> Iterator[Finding]:
    """Counters change with their rows in one transaction, and all is read at once: it holds beside a service too."""
    with database.reading() as session:
        rows = session.execute(select(Owner.id, Owner.name, Owner.used_bytes, Owner.used_images, *_sums())).all()
    for owner_id, name, *used, size, count in rows:
        if used != [size, count]:
            detail = f"{used[0]} bytes and {used[1]} images are counted, and there are {size} and {count}"
            yield Finding("mismatched", QUOTA, f"owners/{name}", detail, row=owner_id)


def repair(database: Database, owner_id: UUID) -> None:
    """Count anew. Who adds or deletes meanwhile waits for the owner's row, or we for them."""
    with database.transaction() as session:
        session.scalar(select(Owner.id).where(Owner.id == owner_id).with_for_update())
        query = select(*_sums()).select_from(Owner).where(Owner.id == owner_id)
        size, count = session.execute(query).one()
        session.execute(update(Owner).where(Owner.id == owner_id).values(used_bytes=size, used_images=count))


def _sums() -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Bytes and number of an owner's images, whatever their status."""
    images = select(func.count()).join(Collection, Collection.id == Image.collection_id)
    owned = images.where(Collection.owner_id == Owner.id).select_from(Image).correlate(Owner)
    size = owned.with_only_columns(func.coalesce(func.sum(Image.bytes), 0), maintain_column_froms=True)
    return size.scalar_subquery(), owned.scalar_subquery()
