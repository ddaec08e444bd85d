"""The ledger, those who work on it, and answers to be given again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Double,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import tracing
from app.db.caller import owner_id
from app.db.tables.access import LOCAL_DEFAULT
from app.db.tables.base import Table, cascade
from app.ids import new_id


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
        Index("ix_jobs_owner", "owner_id", "state", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(String(16), default="cpu")
    owner_id: Mapped[UUID] = mapped_column(default=owner_id, server_default=text(LOCAL_DEFAULT))
    collection_id: Mapped[UUID | None]
    lock: Mapped[str]
    params: Mapped[dict[str, Any]]
    request_id: Mapped[str | None]
    traceparent: Mapped[str | None] = mapped_column(default=tracing.current)  # of the request, where it is traced
    input_key: Mapped[str | None]  # a blob or folder that only this job needs; removed once it is over
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
    steps: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # of this attempt, repeated ones included
    crashes: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    published_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]  # it waits for an outage to end
    waited_s: Mapped[float] = mapped_column(Double, default=0.0, server_default=text("0"))  # for that, without progress
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    report_key: Mapped[str | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobStage(Table):
    """How often a job entered a stage, and the seconds it spent there until it left. Of a running job, none for now."""

    __tablename__ = "job_stages"
    job_id: Mapped[UUID] = mapped_column(cascade("jobs.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]
    seconds: Mapped[float] = mapped_column(Double)


class TrainingEpoch(Table):
    """What an epoch of a training job measured, written as it ended; 0 is before the training."""

    __tablename__ = "training_epochs"
    job_id: Mapped[UUID] = mapped_column(cascade("jobs.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record: Mapped[dict[str, Any]]


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
