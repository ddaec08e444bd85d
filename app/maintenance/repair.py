"""Make again what can be made again: one ledger job a collection does it, under the collection's lock.

Made from an original: working copies. From working copies: vectors. From vectors: indexes and maps. An original, an
encoder, a clustering's centres and tree, a report: only a backup has them. An image without its original is rejected.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.collections import service as collections_service
from app.db.tables import EmbeddingShard, Job, SearchIndex
from app.jobs import ledger
from app.maintenance import counters, named
from app.maintenance.findings import Finding, Progress
from app.resources import Resources

AT_ONCE = 10_000  # findings a job: its parameters name each
LOOK_EVERY_S = 0.3


def repair(res: Resources, findings: Sequence[Finding]) -> list[UUID]:
    """Remove orphans and damaged large copies, which are made when asked for, and count anew what owners use.

    The ids of the jobs that do the rest.
    """
    for one in findings:
        if one.kind == "orphaned" or one.what == named.LARGE:
            res.storage.delete(one.key)
        elif one.what == counters.QUOTA and one.row:
            counters.repair(res.database, one.row)
    by_collection: dict[UUID, list[Finding]] = {}
    for one in _mendable(findings):
        assert one.collection_id is not None
        by_collection.setdefault(one.collection_id, []).append(one)
    return [
        _submit(res, collection_id, part)
        for collection_id, found in by_collection.items()
        for part in (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))
    ]


def wait(res: Resources, jobs: Sequence[UUID], progress: Progress) -> list[Job]:
    """The jobs, when all are over, or wait for an outage to end, which who sits here may be the one to mend."""
    while True:
        with res.database.reading() as session:
            found = list(session.scalars(select(Job).where(Job.id.in_(jobs))))
        over = [job for job in found if job.state in ledger.FINAL or job.not_before]
        progress(len(over), len(jobs))
        if len(over) == len(jobs):
            return found
        time.sleep(LOOK_EVERY_S)


def _mendable(findings: Sequence[Finding]) -> list[Finding]:
    """A copy made from a damaged original would hide the damage, so such images are left as they are."""
    damaged = {one.row for one in findings if (one.kind, one.what) == ("mismatched", named.ORIGINAL)}
    made_again = (named.WORKING, named.SHARD, named.INDEX, named.MAP)
    return [
        one
        for one in findings
        if (one.what in made_again and one.row not in damaged) or (one.kind, one.what) == ("missing", named.ORIGINAL)
    ]


def _submit(res: Resources, collection_id: UUID, findings: Sequence[Finding]) -> UUID:
    def rows(what: str) -> list[str]:
        return [str(one.row) for one in findings if one.what == what]

    params: dict[str, Any] = {
        "lost": rows(named.ORIGINAL),
        "working": rows(named.WORKING),
        "shards": rows(named.SHARD),
        "indexes": rows(named.INDEX),
        "maps": {str(one.row): one.key for one in findings if one.what == named.MAP},
    }
    lock = collections_service.lock(collection_id)
    with res.database.transaction() as session:
        params["sets"] = [str(one) for one in _sets(session, params)]
        queue = res.settings.embed_queue
        job = ledger.submit(session, "repair", collection_id=collection_id, params=params, lock=lock, queue=queue)
        job.published_at = None  # our message can't reach a service that runs with memory://; its reconciler looks here
        return job.id


def _sets(session: Session, params: dict[str, Any]) -> set[UUID]:
    """The embedding sets that lose something: a later attempt could no longer tell from the rows."""
    found: set[UUID] = set()
    for table, ids in ((EmbeddingShard, params["shards"]), (SearchIndex, params["indexes"])):
        found |= set(session.scalars(select(table.set_id).where(table.id.in_([UUID(one) for one in ids]))))
    return found
