"""Names spread from few images to all, and clusters audited."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Float,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Table, cascade
from app.ids import new_id


class Propagation(Table):
    """One run of spreading names. Immutable once it is complete; until then nobody sees it."""

    __tablename__ = "propagations"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clustering_id: Mapped[UUID] = mapped_column(cascade("clusterings.id"), index=True)
    params: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    complete: Mapped[bool]
    job_id: Mapped[UUID]
    created_at: Mapped[datetime]


class Prediction(Table):
    """The label an image got: null is unknown, and `guess` the likeliest even then.

    `confidence` is the guess's. `worth` orders the review queue, most helpful answer first.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_worth", "propagation_id", "worth", "image_id"),
        Index("ix_predictions_label", "propagation_id", "label", "image_id"),
    )
    propagation_id: Mapped[UUID] = mapped_column(cascade("propagations.id"), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(cascade("images.id"), primary_key=True, index=True)
    label: Mapped[str | None]
    guess: Mapped[str]
    confidence: Mapped[float] = mapped_column(Float)
    given: Mapped[bool]
    worth: Mapped[float] = mapped_column(Float)


class Audit(Table):
    """Images drawn from a cluster to be answered yes or no."""

    __tablename__ = "audits"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clustering_id: Mapped[UUID] = mapped_column(cascade("clusterings.id"), index=True)
    number: Mapped[int]
    revision: Mapped[int]  # of the clustering, when the images were drawn
    size: Mapped[int]  # of the cluster, then
    images: Mapped[list[Any]]
    answers: Mapped[dict[str, Any]]  # by image id: true, false
    created_at: Mapped[datetime]
