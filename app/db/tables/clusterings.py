"""Clusterings: what a run found, and where each image is now."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Float,
    ForeignKeyConstraint,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class Clustering(Table):
    """One run. What it found stays; images that came later and a person's corrections raise `revision`."""

    __tablename__ = "clusterings"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"), index=True)
    encoder_id: Mapped[UUID] = mapped_column(cascade("encoders.id"))
    encoder_sha256: Mapped[str] = mapped_column(String(64))
    algorithm: Mapped[str]
    k: Mapped[int]
    k_requested: Mapped[str]
    params: Mapped[dict[str, Any]]
    seed: Mapped[int]
    version: Mapped[str]
    images: Mapped[int]
    sampled: Mapped[int | None]  # how many images the clusters were found on, when not on all
    outliers: Mapped[int]
    metrics: Mapped[dict[str, Any]]
    centres_key: Mapped[str]
    tree_key: Mapped[str | None]  # of an algorithm that gives every k: the merges of its clusters
    map_key: Mapped[str | None]  # two coordinates for each image
    suggestions: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)  # of "auto"
    parent_id: Mapped[UUID | None]  # the clustering whose corrections were applied again to this one
    event_gap_s: Mapped[float | None] = mapped_column(Float)  # one camera's images so close in time were taken as one
    revision: Mapped[int] = mapped_column(default=1)
    job_id: Mapped[UUID]
    created_at: Mapped[datetime]


class Cluster(Table):
    __tablename__ = "clusters"
    clustering_id: Mapped[UUID] = mapped_column(cascade("clusterings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str | None]
    group_id: Mapped[UUID | None]  # no key: groups only go with their collection, and so do clusters
    size: Mapped[int]
    cohesion: Mapped[float] = mapped_column(Float)
    outlier_distance: Mapped[float] = mapped_column(Float)
    representatives: Mapped[list[Any]]


class Assignment(Table):
    """Where an image is now: `number` is null in no cluster. `run_number` is what the run said, -1 for an outlier."""

    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clustering_id", "number"], ["clusters.clustering_id", "clusters.number"], ondelete="CASCADE"
        ),
        Index("ix_assignments_cluster", "clustering_id", "number", "distance", "image_id"),
        Index("ix_assignments_image", "image_id"),
        Index("ix_assignments_outliers", "clustering_id", "outlier_score", "image_id"),
    )
    clustering_id: Mapped[UUID] = mapped_column(primary_key=True)
    image_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True)
    number: Mapped[int | None]
    run_number: Mapped[int]
    leaf: Mapped[int | None]  # its smallest cluster in the run's tree, where there is one
    distance: Mapped[float] = mapped_column(Float)  # to the centre of its own cluster, or of the nearest
    outlier_score: Mapped[float | None] = mapped_column(Float)  # 1 is the threshold of its cluster
