"""Queries on resumable uploads."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.collections import repository as collections
from app.db.session import now
from app.db.tables import Job, Upload, UploadPiece
from app.errors import NotFound
from app.jobs.ledger import FINAL
from app.pagination import Paging, page


def get(session: Session, upload_id: UUID) -> Upload:
    """One that is there, has not expired, and is in a collection that the caller may see."""
    found = session.get(Upload, upload_id)
    if found is None or found.expires_at <= now(session):
        raise missing(upload_id)
    try:
        collections.get(session, found.collection_id)
    except NotFound as error:
        raise missing(upload_id) from error
    return found


def missing(upload_id: UUID) -> NotFound:
    return NotFound(
        f"There is no upload {upload_id}, or it has expired; begin anew with POST /v1/uploads.", code="upload_not_found"
    )


def unfinished(session: Session, collection_id: UUID, paging: Paging) -> tuple[list[Upload], str | None]:
    """Those of a collection that still lack bytes, newest first."""
    query = select(Upload).where(
        Upload.collection_id == collection_id, Upload.job_id.is_(None), Upload.expires_at > now(session)
    )
    return page(session, query, paging, Upload.id, value=lambda row: [row.id], descending=True)


def advance(session: Session, upload: Upload, start: int, to: int, expires_at: datetime, job_id: UUID | None) -> bool:
    """Move `received` from `start`, unless somebody else has moved it: whether it was so."""
    moved = update(Upload).where(Upload.id == upload.id, Upload.received == start, Upload.job_id.is_(None))
    changed = moved.values(received=to, expires_at=expires_at, job_id=job_id).returning(Upload.id)
    return session.execute(changed).first() is not None


def pieces(session: Session, upload_id: UUID) -> list[UploadPiece]:
    """In the order of the file."""
    query = select(UploadPiece).where(UploadPiece.upload_id == upload_id).order_by(UploadPiece.start)
    return list(session.scalars(query))


def named(session: Session, collection_id: UUID) -> Iterator[tuple[UploadPiece, bool]]:
    """Every piece of a collection's uploads, and whether it is still needed."""
    rows = session.execute(
        select(UploadPiece, Job.state)
        .join(Upload, Upload.id == UploadPiece.upload_id)
        .outerjoin(Job, Job.id == Upload.job_id)
        .where(Upload.collection_id == collection_id)
    )
    for piece, state in rows:
        yield piece, state not in FINAL


def forget_pieces(session: Session, job_id: UUID) -> None:
    """Once the job that they were sent for is over and their blobs are gone."""
    of_job = select(Upload.id).where(Upload.job_id == job_id)
    session.execute(delete(UploadPiece).where(UploadPiece.upload_id.in_(of_job)))


def remove_expired(session: Session, limit: int) -> list[Upload]:
    """Take away the rows of some that have expired; not while a job still needs the pieces."""
    needed = select(Job.id).where(Job.id == Upload.job_id, Job.input_key.is_not(None)).exists()
    query = select(Upload).where(Upload.expires_at <= now(session), ~needed).with_for_update(skip_locked=True)
    found = list(session.scalars(query.limit(limit)))
    session.execute(delete(Upload).where(Upload.id.in_([one.id for one in found])))
    return found
