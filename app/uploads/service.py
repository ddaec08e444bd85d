"""What becomes of an upload: begun, a piece further, complete, given up, expired."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import quotas
from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.session import now
from app.db.tables import Upload, UploadPiece
from app.errors import Conflict, TooLarge
from app.failpoints import reached
from app.ids import new_id
from app.images.staging import Staged
from app.jobs import ledger
from app.resources import Resources
from app.settings import Settings
from app.storage.kept import removed_unless_kept
from app.uploads import repository
from app.uploads.metadata import Metadata

KEPT = timedelta(days=7)  # after the last piece
EXPIRED_AT_ONCE = 20


def folder(collection_id: UUID, upload_id: UUID) -> str:
    """Where the pieces of an upload live."""
    return f"{collections_service.prefix(collection_id)}/uploads/{upload_id}"


def begin(session: Session, settings: Settings, size: int, said: Metadata) -> Upload:
    """A new upload of `size` bytes. Raises NotFound (collection), TooLarge (also quota_exceeded)."""
    collection = collections_repository.get(session, said.collection_id)
    _check_size(settings, size, said)
    quotas.check_under_way(session, collection.owner_id, size)
    moment = now(session)
    upload = Upload(
        id=new_id(),
        collection_id=said.collection_id,
        described=said.text,
        name=said.name,
        kind=said.kind,
        size=size,
        received=0,
        sha256=said.sha256,
        created_at=moment,
        expires_at=moment + KEPT,
    )
    session.add(upload)
    session.flush()
    return upload


def _check_size(settings: Settings, size: int, said: Metadata) -> None:
    if said.kind == "file" and size > (most := settings.max_file_bytes):
        raise TooLarge(f"The file is larger than {most:,} bytes. Send a smaller version.")
    if said.kind != "file" and size > (most := settings.max_archive_bytes):
        raise TooLarge(f"The archive is larger than {most:,} bytes; send it in parts.", code="archive_limit")


def keep(res: Resources, upload: Upload, start: int, staged: Staged, request_id: str | None) -> None:
    """Make a piece safe, then say so: first its blob, then its row with the new offset, and with the last one the job.

    Raises Conflict (upload_offset) when another request was quicker, NotFound when the upload is gone; the blob then
    goes again. Its name is new each time, since two requests may bring different bytes for the same place.
    """
    key = f"{folder(upload.collection_id, upload.id)}/{start:015}-{new_id()}"
    with removed_unless_kept(res.storage, [key]) as keep_blob:
        res.storage.put([(staged.path, key)])
        reached("piece.stored")
        with res.database.transaction() as session:
            _advance(session, upload, start, staged.size, request_id)
            piece = UploadPiece(upload_id=upload.id, start=start, size=staged.size, sha256=staged.sha256, key=key)
            session.add(piece)
            session.flush()
            keep_blob(True)
        reached("piece.answering")


def _advance(session: Session, upload: Upload, start: int, size: int, request_id: str | None) -> None:
    to = start + size
    job_id = _submit(session, upload, request_id) if to == upload.size else None
    if not repository.advance(session, upload, start, to, now(session) + KEPT, job_id):
        found = repository.get(session, upload.id)
        raise offset_conflict(found)


def _submit(session: Session, upload: Upload, request_id: str | None) -> UUID:
    """The job that takes what was uploaded; nobody else gets to see it before the last piece is committed."""
    collection = collections_repository.get(session, upload.collection_id, lock=True)
    collection.updated_at = now(session)
    job = ledger.submit(
        session,
        "ingest",
        collection_id=upload.collection_id,
        params={"upload": str(upload.id)},
        lock=collections_service.lock(upload.collection_id),
        request_id=request_id,
    )
    job.input_key = folder(upload.collection_id, upload.id)
    return job.id


def offset_conflict(upload: Upload) -> Conflict:
    detail = f"The upload goes on at byte {upload.received}; ask for Upload-Offset with HEAD, then send from there."
    return Conflict(detail, code="upload_offset")


def give_up(res: Resources, upload_id: UUID) -> None:
    """Take away an upload with all that came of it. Conflict (upload_complete) once a job has it."""
    with res.database.transaction() as session:
        upload = repository.get(session, upload_id)
        session.refresh(upload, with_for_update=True)
        if upload.job_id:
            detail = f"All of it is here; to stop what follows, POST /v1/jobs/{upload.job_id}/cancel."
            raise Conflict(detail, code="upload_complete")
        session.delete(upload)
    res.storage.delete(folder(upload.collection_id, upload.id))


def expire(res: Resources) -> None:
    """Take away what nobody has gone on with for a week: rows first, so that no request goes on with it meanwhile."""
    with res.database.transaction() as session:
        expired = repository.remove_expired(session, EXPIRED_AT_ONCE)
    for upload in expired:
        res.storage.delete(folder(upload.collection_id, upload.id))
