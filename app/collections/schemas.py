"""Collections as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.text import Line, Prose


class CollectionIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Garden 2026"}})

    name: Line
    description: Prose | None = None


class CollectionPatch(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Garden, spring 2026"}})

    name: Line | None = Field(None, description="The new name; left out, the name stays.")
    description: Prose | None = Field(None, description="The new description; null takes it away.")


class ImageCounts(BaseModel):
    pending: int = 0
    ready: int = 0
    rejected: int = 0


class CollectionOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000001",
                "name": "Garden 2026",
                "description": None,
                "images": {"pending": 0, "ready": 718, "rejected": 2},
                "bytes": 1288490188,
                "covers": ["0199c0de-0000-7000-8000-000000000002"],
                "clustering_id": "0199c0de-0000-7000-8000-000000000005",
                "job_id": None,
                "created_at": "2026-05-01T12:00:00Z",
                "updated_at": "2026-05-01T12:04:00Z",
            }
        }
    )

    id: UUID
    name: str
    description: str | None
    images: ImageCounts
    bytes: int = Field(description="Size of all originals.")
    covers: list[UUID] = Field(
        description="Up to four images: the most typical of each of the biggest clusters, or else the first ready ones."
    )
    clustering_id: UUID | None = Field(description="The newest clustering.")
    job_id: UUID | None = Field(description="The newest job that is queued or runs.")
    created_at: datetime
    updated_at: datetime
