"""Blobs that no row names: what a killed upload or job left."""

import time
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select

from app.collections.service import prefix
from app.db.session import Database
from app.db.tables import Collection
from app.maintenance import named
from app.maintenance.findings import Finding
from app.storage import Storage
from app.storage.file import FileStorage

GRACE_S = 3600.0  # a blob is stored before its row; whoever has not committed by then never will


class Names:
    """What one collection's rows name. In memory: about 200 bytes a blob of one collection."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.prefixes: list[str] = []

    def add(self, one: named.Named) -> None:
        if one.below:
            self.prefixes.append(f"{one.key}/")
        else:
            self.keys.add(one.key)

    def have(self, key: str) -> bool:
        """Whether it is a blob that is named, or a file of a folder that is."""
        return key in self.keys or key.rpartition("/")[0] in self.keys or key.startswith(tuple(self.prefixes))


def collections(database: Database) -> list[UUID]:
    with database.reading() as session:
        return list(session.scalars(select(Collection.id).order_by(Collection.id)))


def names(database: Database, collection_id: UUID) -> Names:
    found = Names()
    for one in named.of_collection(database, collection_id):
        found.add(one)
    return found


def of_collection(
    database: Database, storage: Storage, collection_id: UUID, known: Names, grace_s: float
) -> Iterator[Finding]:
    """Orphans below a collection that exists, at least `grace_s` seconds old."""
    with database.reading() as session:
        going = tuple(f"{one}/" for one in named.going(session))
    for key in storage.keys(prefix(collection_id)):
        if not known.have(key) and not key.startswith(going) and aged(storage, key, grace_s):
            yield Finding("orphaned", "blob", key, "no row names it", collection_id)


def strangers(database: Database, storage: Storage, grace_s: float) -> Iterator[Finding]:
    """Orphans outside every collection that exists."""
    homes = {prefix(one) for one in collections(database)}
    with database.reading() as session:
        going = tuple(f"{one}/" for one in named.going(session))
    for key in storage.keys(""):
        home = "/".join(key.split("/", 2)[:2])
        if home not in homes and not key.startswith(going) and aged(storage, key, grace_s):
            yield Finding("orphaned", "blob", key, "it belongs to no collection")


def aged(storage: Storage, key: str, grace_s: float) -> bool:
    """Whether it has had its name for so long.

    On a disk by the inode's time, which putting it in place sets anew: the content may have been written hours before.
    """
    try:
        local = isinstance(storage, FileStorage)
        since = storage.local(key).stat().st_ctime if local else storage.stat(key).modified
        return time.time() - since >= grace_s
    except FileNotFoundError:  # it has just been deleted
        return False
