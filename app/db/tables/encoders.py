"""Encoders and what was measured of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Index,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class Encoder(Table):
    """A network that turns a working copy into a vector. Immutable but for what is judged of it."""

    __tablename__ = "encoders"
    __table_args__ = (
        Index(
            "ux_encoders_builtin",
            "name",
            unique=True,
            sqlite_where=text("collection_id IS NULL"),
            postgresql_where=text("collection_id IS NULL"),
        ),
        Index("ux_encoders_finetuned", "collection_id", "name", unique=True),  # null, of the others, equals no null
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    origin: Mapped[str] = mapped_column(String(10))
    base: Mapped[str | None]  # the architecture; of a fine-tuned one, the name of the encoder it comes from
    method: Mapped[str | None]
    params: Mapped[dict[str, Any]]
    dim: Mapped[int]
    collection_id: Mapped[UUID | None] = mapped_column(cascade("collections.id"))
    created_at: Mapped[datetime]
    # What follows is null but for those fine-tuned here.
    key: Mapped[str | None]  # the blobs' folder, see models/encoders/finetuned.py
    sha256: Mapped[str | None] = mapped_column(String(64))
    ir_sha256: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[int | None]
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    images: Mapped[int | None]
    versions: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    recommended: Mapped[bool | None]
    verdict: Mapped[str | None]
    training: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)  # may be long
    job_id: Mapped[UUID | None]


class EncoderMeasure(Table):
    """What one encoder reached on a collection's held-out images, to be set beside the others'."""

    __tablename__ = "encoder_measures"
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"), primary_key=True)
    encoder_id: Mapped[UUID] = mapped_column(cascade("encoders.id"), primary_key=True, index=True)
    sha256: Mapped[str] = mapped_column(String(64))  # of the weights that were measured
    held_out: Mapped[str] = mapped_column(String(64))  # fingerprint of the held-out images
    images: Mapped[int]  # how many those are
    metrics: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
