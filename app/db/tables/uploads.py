"""Uploads that can be resumed, piece by piece."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class Upload(Table):
    """A file or archive on its way in. `job_id` is set when all of it is here and the job that takes it is written."""

    __tablename__ = "uploads"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"), index=True)
    described: Mapped[str]  # Upload-Metadata as the client sent it, which wants to have it back
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(4))  # file, zip, tar
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str | None] = mapped_column(String(64))  # of the whole, where the client told it
    job_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class UploadPiece(Table):
    """Bytes from `start` on, in a blob of their own; what has a row here is never asked for again."""

    __tablename__ = "upload_pieces"
    upload_id: Mapped[UUID] = mapped_column(cascade("uploads.id"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str]
