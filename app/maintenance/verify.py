"""Every blob that a row names is there and what the row says; nothing is there that no row names; all is counted."""

from collections.abc import Iterator
from errno import EIO
from uuid import UUID

from sqlalchemy import func, select

from app.db.tables import Image
from app.errors import Unavailable
from app.maintenance import counters, named, orphans
from app.maintenance.findings import Finding, Progress
from app.resources import Resources
from models.disk import disk_failed


def verify(res: Resources, grace_s: float, progress: Progress) -> list[Finding]:
    """All findings, by collection. Progress is in images.

    grace_s: 0 when nobody else uses the data; else how old, in seconds, a blob without a row must be to be an orphan.
    Then rows and blobs come and go meanwhile, so each finding is looked at a second time before it counts.
    """
    with res.database.reading() as session:
        total = session.execute(select(func.count()).select_from(Image)).scalar_one()
    findings: list[Finding] = []
    done = 0
    for collection_id in orphans.collections(res.database):
        names = orphans.Names()
        for one in named.of_collection(res.database, collection_id):
            names.add(one)
            if found := _checked(res, collection_id, one):
                findings.append(found)
            if one.what == named.ORIGINAL:
                done += 1
                progress(min(done, total), total)
        findings += orphans.of_collection(res.database, res.storage, collection_id, names, grace_s)
    findings += orphans.strangers(res.database, res.storage, grace_s)
    sure = _confirmed(res, findings, grace_s) if grace_s else findings
    return [*sure, *counters.findings(res.database)]


def _checked(res: Resources, collection_id: UUID, one: named.Named) -> Finding | None:
    if one.below:
        return None
    if not res.storage.exists(one.key):
        detail = "its row names it, and it is not there"
        return Finding("missing", one.what, one.key, detail, collection_id, one.row) if one.required else None
    try:
        wrong = one.check(res.storage.local(one.key))
    except Unavailable as error:
        if error.code != "storage_damaged":  # it is the store that fails, and not this blob
            raise
        wrong = error.detail
    except FileNotFoundError as error:
        wrong = f"a part of it is not there: {error.filename}"
    except OSError as error:
        if disk_failed(error) and error.errno != EIO:  # a bad sector is a finding like any other
            raise
        wrong = f"it can't be read: {error.strerror}"
    return Finding("mismatched", one.what, one.key, wrong, collection_id, one.row) if wrong else None


def _confirmed(res: Resources, findings: list[Finding], grace_s: float) -> Iterator[Finding]:
    """Those that are still so: what was deleted or committed since the first look was never wrong."""
    for collection_id in dict.fromkeys(one.collection_id for one in findings):
        first = {one.key: one for one in findings if one.collection_id == collection_id}
        yield from _again(res, collection_id, first) if collection_id else _strange(res, first, grace_s)


def _again(res: Resources, collection_id: UUID, first: dict[str, Finding]) -> Iterator[Finding]:
    names = orphans.Names()
    for one in named.of_collection(res.database, collection_id):
        names.add(one)
        if one.key in first and (found := _checked(res, collection_id, one)):
            yield found
    for key, found in first.items():
        if found.kind == "orphaned" and not names.have(key) and res.storage.exists(key):
            yield found


def _strange(res: Resources, first: dict[str, Finding], grace_s: float) -> Iterator[Finding]:
    return (one for one in orphans.strangers(res.database, res.storage, grace_s) if one.key in first)
