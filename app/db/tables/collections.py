"""Collections and their images."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.caller import owner_id
from app.db.tables.access import LOCAL_DEFAULT
from app.db.tables.base import Table, cascade
from app.ids import new_id


class Collection(Table):
    __tablename__ = "collections"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(index=True, default=owner_id, server_default=text(LOCAL_DEFAULT))
    name: Mapped[str]
    description: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Image(Table):
    """One picture. `job_id` says which upload brought it."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("collection_id", "sha256"),
        Index("ix_images_status", "collection_id", "status", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"))
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str] = mapped_column(String(8))
    width: Mapped[int | None]
    height: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(8), default="pending")
    error_code: Mapped[str | None] = mapped_column(String(40))
    error_detail: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    camera: Mapped[str | None]
    exif: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what of it may be shown
    pixels_sha256: Mapped[str | None] = mapped_column(String(64))  # of the working copy; null until it is searched for
    phash: Mapped[int | None] = mapped_column(BigInteger)  # perceptual hash, 64 bits as a signed number
    job_id: Mapped[UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
