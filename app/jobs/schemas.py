"""Jobs as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "dead"]


class Progress(BaseModel):
    done: int
    total: int | None
    unit: str | None


class JobError(BaseModel):
    code: str
    detail: str | None


class JobOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000003",
                "kind": "cluster",
                "collection_id": "0199c0de-0000-7000-8000-000000000001",
                "state": "running",
                "stage": "embed",
                "progress": {"done": 320, "total": 718, "unit": "images"},
                "eta_s": 4.1,
                "attempt": 1,
                "result": None,
                "error": None,
                "created_at": "2026-05-01T12:00:00Z",
                "started_at": "2026-05-01T12:00:01Z",
                "finished_at": None,
            }
        }
    )

    id: UUID
    kind: str
    collection_id: UUID | None
    state: State
    stage: str | None = Field(description="What the job does now: unpack, ingest, embed, cluster, index, ...")
    progress: Progress
    eta_s: float | None = Field(description="Seconds to the end of this stage at its pace so far.")
    attempt: int
    result: dict[str, Any] | None
    error: JobError | None = Field(description="Why it did not succeed; of a queued job, what it waits for.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobTrainingOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_id": "0199c0de-0000-7000-8000-000000000003",
                "state": "running",
                "method": "simclr",
                "planned": 10,
                "encoder_id": None,
                "epochs": [
                    {"epoch": 0, "spread": 0.97, "rankme": 310.0, "retrieval": 0.84},
                    {"epoch": 1, "loss": 1.9, "lr": 0.0001, "spread": 0.95, "rankme": 305.0, "retrieval": 0.91},
                ],
            }
        }
    )

    job_id: UUID
    state: State
    method: str
    planned: int | None = Field(description="Epochs asked for; a time budget may end the training sooner.")
    encoder_id: UUID | None = Field(description="What came of it; null before its end, without success, or deleted.")
    epochs: list[dict[str, int | float | None]] = Field(
        description="A record an epoch that has ended, as in GET /v1/encoders/{id}/training; 0 is before the training."
    )
