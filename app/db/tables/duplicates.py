"""Images that are nearly the same picture."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Float,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class DuplicateScan(Table):
    """One search of a collection for near-duplicates. The newest one counts."""

    __tablename__ = "duplicate_scans"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"), index=True)
    set_id: Mapped[UUID] = mapped_column(cascade("embedding_sets.id"), index=True)
    images: Mapped[int]
    newest_shard: Mapped[UUID]
    job_id: Mapped[UUID]
    created_at: Mapped[datetime]


class DuplicatePair(Table):
    """Two images whose similarity, 0 to 1, is at least the lowest that can be asked for."""

    __tablename__ = "duplicate_pairs"
    __table_args__ = (Index("ix_duplicate_pairs_similarity", "scan_id", "similarity"),)
    scan_id: Mapped[UUID] = mapped_column(cascade("duplicate_scans.id"), primary_key=True)
    first_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True, index=True)
    second_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(10))  # exact, hash, embedding
    similarity: Mapped[float] = mapped_column(Float)
