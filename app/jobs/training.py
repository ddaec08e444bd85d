"""The curves of a fine-tuning: written by its job epoch after epoch, read while it runs and ever after."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.tables import Encoder, Job, TrainingEpoch
from app.errors import Conflict
from app.jobs import repository
from app.jobs.schemas import JobTrainingOut

KIND = "finetune"


def keep(session: Session, job_id: UUID, record: dict[str, Any]) -> None:
    """What an epoch measured, all JSON. One that is repeated after a crash takes the place of what followed it, too."""
    epoch = int(record["epoch"])
    session.execute(delete(TrainingEpoch).where(TrainingEpoch.job_id == job_id, TrainingEpoch.epoch >= epoch))
    session.add(TrainingEpoch(job_id=job_id, epoch=epoch, record=record))


def shown(session: Session, job_id: UUID) -> JobTrainingOut:
    """Raises NotFound, Conflict (job_not_training)."""
    job = repository.get(session, job_id)
    if job.kind != KIND:
        raise Conflict(
            f"This job is of kind {job.kind}; only fine-tunings, those of kind {KIND}, have curves.",
            code="job_not_training",
        )
    query = select(TrainingEpoch.record).where(TrainingEpoch.job_id == job_id).order_by(TrainingEpoch.epoch)
    made = _encoder(session, job)
    return JobTrainingOut(
        job_id=job.id,
        state=job.state,
        method=job.params["method"],
        planned=job.params["params"].get("epochs"),
        encoder_id=made.id if made else None,
        epochs=list(session.scalars(query)) or _stored(made),
    )


def _encoder(session: Session, job: Job) -> Encoder | None:
    """What came of the job, unless it was deleted since."""
    made = (job.result or {}).get("encoder_id")
    return session.get(Encoder, UUID(made)) if made else None


def _stored(made: Encoder | None) -> list[dict[str, Any]]:
    """Of a job that ran before epochs had rows of their own."""
    found: list[dict[str, Any]] = made.training["epochs"] if made and made.training else []
    return found
