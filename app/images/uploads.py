"""The way of an upload: bytes to scratch, a look at them, blobs, rows, one job, one commit."""

from collections import Counter
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.bodies import stream
from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.session import now, withhold
from app.db.tables import Job
from app.errors import Invalid, TooLarge
from app.failpoints import reached
from app.idempotency import Once
from app.ids import new_id
from app.images import service
from app.images.multipart import Receiver, receive
from app.images.schemas import JobAccepted, UploadItem, UploadOut
from app.images.staging import Staged, Stager
from app.jobs import ledger
from app.jobs import repository as jobs
from app.resources import Resources
from app.room import Room
from app.storage.kept import removed_unless_kept

ARCHIVES = {
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/x-tar": "tar",
    "application/gzip": "tar",
    "application/x-gzip": "tar",
}


async def files(
    request: Request, res: Resources, collection_id: UUID, once: Once, request_id: str | None, room: Room
) -> Response:
    """1 to 1000 files in one multipart body."""
    receiver = Receiver(res.settings.scratch, "files", res.settings.max_upload_files, res.settings.max_file_bytes)
    await receive(request, receiver, room)
    try:
        if not receiver.received:
            raise Invalid('There is no file in the field "files".', code="no_files")
        return await run_in_threadpool(_add_files, res, collection_id, receiver.received, once, request_id)
    finally:
        service.discard(receiver.staged)


def _add_files(
    res: Resources, collection_id: UUID, received: list[Staged | UploadItem], once: Once, request_id: str | None
) -> Response:
    fingerprint = "\n".join(f"{getattr(one, 'sha256', 'refused')} {one.name}" for one in received)
    checked = [service.check(one) for one in received]
    good = [one for one in checked if isinstance(one, service.Checked)]
    reached("upload.staged")
    with removed_unless_kept(res.storage, service.keys(collection_id, good)) as keep:
        with res.database.reading() as session:
            if before := once.seen(session, fingerprint):
                return before
            service.store(session, res.storage, collection_id, good)
        reached("upload.stored")
        with res.database.transaction() as session:

            def work() -> tuple[UploadOut, None]:
                job = _waiting(session, collection_id) or _ingest_job(session, collection_id, request_id)
                added = service.add(session, res.storage, collection_id, good, job.id)
                return _summary(session, service.merged(checked, added), job), None

            answer = once.answer(session, fingerprint, 200, work)
            keep(not once.repeated)
            reached("upload.written")
        reached("upload.answering")
        return answer


def _summary(session: Session, items: list[UploadItem], job: Job) -> UploadOut:
    """The answer to an upload. A job that would find nothing to do is not even written."""
    counts = Counter(item.status for item in items)
    if not counts["created"] and withhold(session, job.id):
        session.delete(job)
    return UploadOut(
        created=counts["created"],
        duplicates=counts["duplicate"],
        rejected=counts["rejected"],
        items=items,
        job_id=job.id if counts["created"] else None,
    )


def _waiting(session: Session, collection_id: UUID) -> Job | None:
    """A job of an earlier upload that nobody has begun: it decodes whatever it finds, so it does for this one too."""
    collections_repository.get(session, collection_id, lock=True).updated_at = now(session)
    return jobs.waiting(session, collection_id, "ingest")


def _ingest_job(session: Session, collection_id: UUID, request_id: str | None) -> Job:
    collection = collections_repository.get(session, collection_id, lock=True)
    collection.updated_at = now(session)
    return ledger.submit(
        session,
        "ingest",
        collection_id=collection_id,
        params={},
        lock=collections_service.lock(collection_id),
        request_id=request_id,
    )


async def archive(
    request: Request, res: Resources, collection_id: UUID, once: Once, kind: str, request_id: str | None, room: Room
) -> Response:
    """A zip or tar, streamed to disk; a job unpacks it."""
    limit = res.settings.max_archive_bytes
    refused = TooLarge(f"The archive is larger than {limit:,} bytes; send it in parts.", code="archive_limit")
    smaller = min(Room(limit, refused), room, key=lambda one: one.bytes)
    stager = Stager(res.settings.scratch, "archive", limit)
    try:
        async for chunk in stream(request, smaller):
            await run_in_threadpool(stager.write, chunk)
    except BaseException:
        stager.drop()
        raise
    staged = stager.finish()
    try:
        return await run_in_threadpool(_add_archive, res, collection_id, staged, kind, once, request_id)
    finally:
        service.discard([staged])


def _add_archive(
    res: Resources, collection_id: UUID, staged: Staged, kind: str, once: Once, request_id: str | None
) -> Response:
    _check_archive(staged.path, kind)
    key = f"{collections_service.prefix(collection_id)}/archives/{new_id()}.{kind}"
    with removed_unless_kept(res.storage, [key]) as keep:
        with res.database.reading() as session:
            if before := once.seen(session, staged.sha256):
                return before
        res.storage.put([(staged.path, key)])
        reached("archive.stored")
        with res.database.transaction() as session:

            def work() -> tuple[JobAccepted, str]:
                job = _ingest_job(session, collection_id, request_id)
                job.params, job.input_key = {"archive": key, "kind": kind}, key
                return JobAccepted(job_id=job.id), f"/v1/jobs/{job.id}"

            answer = once.answer(session, staged.sha256, 202, work)
            keep(not once.repeated)
            reached("archive.written")
        reached("archive.answering")
        return answer


def _check_archive(path: Path, kind: str) -> None:
    """Refuse at once what can't be the archive it claims to be."""
    with path.open("rb") as file:
        head = file.read(512)
    good = (
        head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
        if kind == "zip"
        else (head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) or head[257:262] == b"ustar")
    )
    if not good:
        raise Invalid(f"The body is no {kind} archive.", code="archive_corrupt")
