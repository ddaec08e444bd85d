"""Blobs that no row names: what a killed upload or job left.

An orphan is never needed again, however long after it was found it is deleted. For a blob is stored under a new key,
and its row is committed within the grace period or never: so what had been there for that long when the reading of the
rows began, and is named by none of them, will not be. How long reading and listing take does not matter. The one
exception, keys that a later attempt at a job stores to once more, are named by that job while it is to run.
"""

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
from app.storage.kept import COMMITTED_WITHIN_S

GRACE_S = 2 * COMMITTED_WITHIN_S  # the other half is for clocks that differ


class Names:
    """What one collection's rows name. In memory: about 200 bytes a blob of one collection.

    To be made before the first of the rows is read: what is stored from then on may be named by a row not seen.
    """

    def __init__(self) -> None:
        self.begun = time.time()
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
    """Orphans below a collection that exists, at least `grace_s` seconds old when `known` was begun."""
    with database.reading() as session:
        going = tuple(f"{one}/" for one in named.going(session))
    for key in storage.keys(prefix(collection_id)):
        if not known.have(key) and not key.startswith(going) and _there(storage, key, known.begun - grace_s):
            yield Finding("orphaned", "blob", key, "no row names it", collection_id)


def strangers(database: Database, storage: Storage, grace_s: float) -> Iterator[Finding]:
    """Orphans outside every collection that exists, at least `grace_s` seconds old when the collections were read."""
    since = time.time() - grace_s
    homes = {prefix(one) for one in collections(database)}
    with database.reading() as session:
        going = tuple(f"{one}/" for one in named.going(session))
    for key in storage.keys(""):
        home = "/".join(key.split("/", 2)[:2])
        if home not in homes and not key.startswith(going) and _there(storage, key, since):
            yield Finding("orphaned", "blob", key, "it belongs to no collection")


def _there(storage: Storage, key: str, since: float) -> bool:
    """Whether it was put there before."""
    try:
        return storage.stat(key).modified < since
    except FileNotFoundError:  # it has just been deleted
        return False
