"""Uploads as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ResumableOut(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000004",
                "collection_id": "0199c0de-0000-7000-8000-000000000001",
                "name": "garden.zip",
                "kind": "zip",
                "size": 1000000000,
                "received": 8388608,
                "job_id": None,
                "expires_at": "2026-05-08T12:00:00Z",
            }
        },
    )

    id: UUID
    collection_id: UUID
    name: str
    kind: Literal["file", "zip", "tar"]
    size: int = Field(description="Bytes of the whole.")
    received: int = Field(description="Bytes that are safe: from here the upload goes on.")
    job_id: UUID | None = Field(description="The job that takes what was uploaded; null until all of it is here.")
    expires_at: datetime = Field(description="When it is forgotten unless more of it comes.")
