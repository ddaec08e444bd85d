"""Every table. Ids are UUIDv7, times are UTC, and what is immutable says so."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.types import UtcDateTime
from app.ids import new_id


class Table(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute of the class
        datetime: UtcDateTime,
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: Text,
    }


def _cascade(target: str) -> ForeignKey:
    return ForeignKey(target, ondelete="CASCADE")


class Collection(Table):
    __tablename__ = "collections"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
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
    collection_id: Mapped[UUID] = mapped_column(_cascade("collections.id"))
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
    job_id: Mapped[UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime]


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
    collection_id: Mapped[UUID | None] = mapped_column(_cascade("collections.id"))
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
    collection_id: Mapped[UUID] = mapped_column(_cascade("collections.id"), primary_key=True)
    encoder_id: Mapped[UUID] = mapped_column(_cascade("encoders.id"), primary_key=True, index=True)
    sha256: Mapped[str] = mapped_column(String(64))  # of the weights that were measured
    held_out: Mapped[str] = mapped_column(String(64))  # fingerprint of the held-out images
    images: Mapped[int]  # how many those are
    metrics: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class EmbeddingSet(Table):
    """All vectors of one collection by one encoder, of one weight file."""

    __tablename__ = "embedding_sets"
    __table_args__ = (UniqueConstraint("collection_id", "encoder_id", "sha256"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(_cascade("collections.id"))
    encoder_id: Mapped[UUID] = mapped_column(_cascade("encoders.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    dim: Mapped[int]
    created_at: Mapped[datetime]


class EmbeddingShard(Table):
    """An immutable file of float32 rows; `embeddings` says which row is whose."""

    __tablename__ = "embedding_shards"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    set_id: Mapped[UUID] = mapped_column(_cascade("embedding_sets.id"), index=True)
    key: Mapped[str]
    rows: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))


class Embedding(Table):
    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_image", "image_id"),)
    set_id: Mapped[UUID] = mapped_column(_cascade("embedding_sets.id"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(_cascade("images.id"), primary_key=True)
    shard_id: Mapped[UUID] = mapped_column(_cascade("embedding_shards.id"))
    row: Mapped[int]


class SearchIndex(Table):
    """One generation of an index: an immutable folder of `count` vectors, all shards up to `newest_shard`.

    The newest row of a set is the one in use.
    """

    __tablename__ = "search_indexes"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    set_id: Mapped[UUID] = mapped_column(_cascade("embedding_sets.id"), index=True)
    kind: Mapped[str]
    key: Mapped[str]
    count: Mapped[int]
    newest_shard: Mapped[UUID]
    created_at: Mapped[datetime]


class Clustering(Table):
    """One immutable run; images that came later join it as further assignments and raise `revision`."""

    __tablename__ = "clusterings"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(_cascade("collections.id"), index=True)
    encoder_id: Mapped[UUID] = mapped_column(_cascade("encoders.id"))
    encoder_sha256: Mapped[str] = mapped_column(String(64))
    algorithm: Mapped[str]
    k: Mapped[int]
    k_requested: Mapped[str]
    params: Mapped[dict[str, Any]]
    seed: Mapped[int]
    version: Mapped[str]
    images: Mapped[int]
    outliers: Mapped[int]
    metrics: Mapped[dict[str, Any]]
    centres_key: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)
    job_id: Mapped[UUID]
    created_at: Mapped[datetime]


class Cluster(Table):
    __tablename__ = "clusters"
    clustering_id: Mapped[UUID] = mapped_column(_cascade("clusterings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str | None]
    size: Mapped[int]
    cohesion: Mapped[float] = mapped_column(Float)
    outlier_distance: Mapped[float] = mapped_column(Float)
    representatives: Mapped[list[Any]]


class Assignment(Table):
    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clustering_id", "number"], ["clusters.clustering_id", "clusters.number"], ondelete="CASCADE"
        ),
        Index("ix_assignments_cluster", "clustering_id", "number", "distance", "image_id"),
        Index("ix_assignments_image", "image_id"),
    )
    clustering_id: Mapped[UUID] = mapped_column(primary_key=True)
    image_id: Mapped[UUID] = mapped_column(_cascade("images.id"), primary_key=True)
    number: Mapped[int]
    distance: Mapped[float] = mapped_column(Float)


class Job(Table):
    """A row of the ledger. See app/jobs/ledger.py for who changes what."""

    __tablename__ = "jobs"
    __table_args__ = (
        # Two jobs with one lock never run at once: the database itself says no to the second claim.
        Index(
            "ux_jobs_running_lock",
            "lock",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_jobs_state", "state", "id"),
        Index(
            "ix_jobs_input",
            "id",
            sqlite_where=text("input_key IS NOT NULL"),
            postgresql_where=text("input_key IS NOT NULL"),
        ),
        Index("ix_jobs_collection", "collection_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(String(16), default="cpu")
    collection_id: Mapped[UUID | None]
    lock: Mapped[str]
    params: Mapped[dict[str, Any]]
    request_id: Mapped[str | None]
    input_key: Mapped[str | None]  # a blob that only this job needs; removed once the job is over
    state: Mapped[str] = mapped_column(String(10), default="queued")
    stage: Mapped[str | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    unit: Mapped[str | None]
    stage_started_at: Mapped[datetime | None]
    stage_first: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    advances: Mapped[int] = mapped_column(default=0)
    advances_at_claim: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    published_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    report_key: Mapped[str | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Worker(Table):
    """A worker that is alive says so here; /readyz and the reconciler read it."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    queues: Mapped[str]
    seen_at: Mapped[datetime]


class IdempotencyKey(Table):
    """The answer given to a POST, written in the transaction that did the work, and given again on a repeat."""

    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
