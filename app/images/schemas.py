"""Images and uploads as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

Status = Literal["pending", "ready", "rejected"]


class ImageError(BaseModel):
    code: str
    detail: str


class ImageOut(BaseModel):
    id: UUID
    collection_id: UUID
    name: str
    sha256: str
    bytes: int
    format: str
    width: int | None
    height: int | None
    status: Status
    error: ImageError | None
    taken_at: datetime | None
    camera: str | None
    created_at: datetime


class UploadItem(BaseModel):
    name: str
    status: Literal["created", "duplicate", "rejected"]
    image_id: UUID | None = Field(None, description="The image; for a duplicate the one that was there before.")
    code: str | None = None
    detail: str | None = None


class UploadOut(BaseModel):
    created: int
    duplicates: int
    rejected: int
    items: list[UploadItem]
    job_id: UUID | None = Field(None, description="The job that decodes the new images, when there are any.")


class JobAccepted(BaseModel):
    job_id: UUID
