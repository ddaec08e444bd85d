"""Jobs as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "dead"]


class Progress(BaseModel):
    done: int
    total: int | None
    unit: str | None


class JobError(BaseModel):
    code: str
    detail: str | None


class JobOut(BaseModel):
    id: UUID
    kind: str
    collection_id: UUID | None
    state: State
    stage: str | None = Field(description="What the job does now: unpack, ingest, embed, cluster, index, ...")
    progress: Progress
    eta_s: float | None = Field(description="Seconds to the end of this stage at its pace so far.")
    attempt: int
    result: dict[str, Any] | None
    error: JobError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
