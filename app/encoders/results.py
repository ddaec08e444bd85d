"""What a fine-tuning leaves in the database, and the comparison made of it."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.collections import repository as collections_repository
from app.db.session import now
from app.db.tables import Encoder, EncoderMeasure, Job
from app.encoders import service
from app.encoders.schemas import ComparedEncoder, ComparisonOut, HeldOut, MeasuredEncoder
from models.encoders.finetuned import Description


def finish(
    session: Session,
    job: Job,
    encoder_id: UUID,
    made: Description,
    *,
    training: dict[str, Any],
    metrics: dict[str, Any] | None,
    recommended: bool | None,
    verdict: str | None,
) -> Encoder:
    """The row of a new encoder whose folder is stored at `service.key(collection, encoder_id)`.

    training: {"ended": ..., "epochs": [a record an epoch], "curves": {...} or None}. All JSON, so without NaN.
    """
    assert job.collection_id is not None
    taken_over = ("name", "base", "method", "params", "dim", "sha256", "ir_sha256", "seed", "fingerprint", "images")
    row = Encoder(
        id=encoder_id,
        origin=service.FINETUNED,
        collection_id=job.collection_id,
        key=service.key(job.collection_id, encoder_id),
        versions=made.versions,
        training=training,
        metrics=metrics,
        recommended=recommended,
        verdict=verdict,
        job_id=job.id,
        created_at=now(session),
        **{name: getattr(made, name) for name in taken_over},
    )
    session.add(row)
    session.flush()
    return row


def measure(
    session: Session, collection_id: UUID, encoder_id: UUID, sha256: str, held_out: HeldOut, metrics: dict[str, Any]
) -> None:
    """What the encoder with these weights reached on the held-out images, instead of what was known of it before.

    One that was deleted meanwhile is passed over. Only for a job with the collection's training lock.
    """
    if session.get(Encoder, encoder_id, with_for_update=True) is None:
        return
    measured = EncoderMeasure(
        collection_id=collection_id,
        encoder_id=encoder_id,
        sha256=sha256,
        held_out=held_out.fingerprint,
        images=held_out.images,
        metrics=metrics,
        created_at=now(session),
    )
    session.merge(measured)
    session.flush()


def stale(session: Session, collection_id: UUID, held_out: HeldOut) -> list[Encoder]:
    """Encoders of the comparison that were measured on other images, oldest first."""
    query = select(Encoder).join(EncoderMeasure, EncoderMeasure.encoder_id == Encoder.id)
    query = query.where(EncoderMeasure.collection_id == collection_id, EncoderMeasure.held_out != held_out.fingerprint)
    return list(session.scalars(query.order_by(Encoder.id)))


def comparison(session: Session, collection_id: UUID) -> ComparisonOut:
    """Every encoder that was measured on the collection, oldest first."""
    collections_repository.get(session, collection_id)
    query = select(EncoderMeasure, Encoder).join(Encoder, Encoder.id == EncoderMeasure.encoder_id)
    rows = session.execute(query.where(EncoderMeasure.collection_id == collection_id).order_by(Encoder.id)).all()
    newest = max((row for row, _ in rows), key=lambda row: row.created_at, default=None)
    return ComparisonOut(
        held_out=HeldOut(images=newest.images, fingerprint=newest.held_out) if newest else None,
        items=[_compared(row, encoder, newest) for row, encoder in rows],
    )


def _compared(row: EncoderMeasure, encoder: Encoder, newest: EncoderMeasure | None) -> ComparedEncoder:
    return ComparedEncoder(
        encoder=MeasuredEncoder(id=encoder.id, name=encoder.name, sha256=row.sha256),
        base=encoder.base,
        method=encoder.method,
        images_trained=encoder.images,
        metrics=row.metrics,
        recommended=encoder.recommended,
        verdict=encoder.verdict,
        current=newest is not None and row.held_out == newest.held_out,
    )
