"""What people say of clusters: edits beside the run, and what of them outlives it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Float,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class Group(Table):
    """A cluster that a person has touched. It lives on in the collection's next clusterings.

    `outside` is the one, at most, of those that a person took out of every cluster.
    """

    __tablename__ = "groups"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    collection_id: Mapped[UUID] = mapped_column(cascade("collections.id"), index=True)
    outside: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Edit(Table):
    """One correction of a clustering, in the order of `revision`; see app/corrections/service.py for its states."""

    __tablename__ = "edits"
    __table_args__ = (UniqueConstraint("clustering_id", "revision"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clustering_id: Mapped[UUID] = mapped_column(cascade("clusterings.id"))
    revision: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    params: Mapped[dict[str, Any]]
    effect: Mapped[dict[str, Any]]  # of clusters: what they were before and after; of images see edit_moves
    who: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(8), default="done")
    created_at: Mapped[datetime]


class EditMove(Table):
    """An image that an edit took from one cluster to another; null is no cluster."""

    __tablename__ = "edit_moves"
    edit_id: Mapped[UUID] = mapped_column(cascade("edits.id"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True, index=True)
    before: Mapped[int | None]
    after: Mapped[int | None]
    distance_before: Mapped[float] = mapped_column(Float)
    distance_after: Mapped[float] = mapped_column(Float)


class Centre(Table):
    """A centre that edits made, or gave to another cluster; a run's others are its own clusters', see centres_key.

    `id` is the row in the run's file, and for those that edits made goes on from there; only these have a vector here,
    (D,) float32. `number` is the cluster whose images lie near it now, null if there is none any more.
    """

    __tablename__ = "centres"
    clustering_id: Mapped[UUID] = mapped_column(cascade("clusterings.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int | None]
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)


class GroupImage(Table):
    """A person said of this image that it belongs to the group, or that it does not; null takes both back."""

    __tablename__ = "group_images"
    edit_id: Mapped[UUID] = mapped_column(cascade("edits.id"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(cascade("groups.id"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True, index=True)
    belongs: Mapped[bool | None]
