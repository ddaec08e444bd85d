"""Vectors of images, and the indexes on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class EmbeddingSet(Table):
    """All vectors of one collection by one encoder, of one weight file."""

    __tablename__ = "embedding_sets"
    __table_args__ = (UniqueConstraint("collection_id", "encoder_id", "sha256"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"))
    encoder_id: Mapped[UUID] = mapped_column(cascade("encoders.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    dim: Mapped[int]
    created_at: Mapped[datetime]


class EmbeddingShard(Table):
    """An immutable file of float32 rows; `embeddings` says which row is whose."""

    __tablename__ = "embedding_shards"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    set_id: Mapped[UUID] = mapped_column(cascade("embedding_sets.id"), index=True)
    key: Mapped[str]
    rows: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))


class EmbeddingPart(Table):
    """A run of images, by their ids' order, that one job embeds while others embed other runs of the same set.

    Gone when its vectors are published. See app/embeddings/parts.py for who changes what.
    """

    __tablename__ = "embedding_parts"
    set_id: Mapped[UUID] = mapped_column(cascade("embedding_sets.id"), primary_key=True)
    first_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_id: Mapped[UUID]
    images: Mapped[int]
    job_id: Mapped[UUID]  # the leader: the job that needs the vectors
    attempt: Mapped[int] = mapped_column(default=0)  # how often it was taken
    taken_by: Mapped[UUID | None]  # the job that embeds it, for as long as that one runs
    shard_id: Mapped[UUID | None]  # what that job will publish; another one's as soon as the part is taken again


class Embedding(Table):
    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_image", "image_id"),)
    set_id: Mapped[UUID] = mapped_column(cascade("embedding_sets.id"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True)
    shard_id: Mapped[UUID] = mapped_column(cascade("embedding_shards.id"))
    row: Mapped[int]


class SearchIndex(Table):
    """One generation of an index: an immutable folder of `count` vectors, all shards up to `newest_shard`.

    The newest row of a set is the one in use.
    """

    __tablename__ = "search_indexes"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    set_id: Mapped[UUID] = mapped_column(cascade("embedding_sets.id"), index=True)
    kind: Mapped[str]
    key: Mapped[str]
    count: Mapped[int]
    newest_shard: Mapped[UUID]
    created_at: Mapped[datetime]
