"""Events as the API shows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_FRAME: dict[str, Any] = {
    "image_id": "0199c0de-0000-7000-8000-000000000002",
    "name": "trap7/IMG_0012.JPG",
    "taken_at": "2026-04-30T05:12:44Z",
}


class FrameOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _FRAME})

    image_id: UUID
    name: str
    taken_at: datetime | None


class EventOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _FRAME["image_id"],
                "camera": "RECONYX HYPERFIRE 2",
                "folder": "trap7/",
                "started_at": "2026-04-30T05:12:44Z",
                "ended_at": "2026-04-30T05:12:44Z",
                "size": 1,
                "images": [_FRAME],
            }
        }
    )

    id: UUID = Field(description="Of its first image.")
    camera: str | None
    folder: str = Field(description="Of the images' names: cameras of one make are told apart by it.")
    started_at: datetime | None
    ended_at: datetime | None
    size: int
    images: list[FrameOut] = Field(description="In the order they were taken; the first 50.")
