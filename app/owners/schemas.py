"""Owners as the API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Bytes = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
Count = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
_USE: JsonDict = {
    "bytes": {"used": 1288490188, "limit": 10000000000},
    "images": {"used": 720, "limit": 100000},
    "jobs": {"used": 1, "limit": 4},
}


class Use(BaseModel):
    used: int
    limit: int | None = Field(description="Null for none.")


class QuotaOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _USE})

    bytes: Use = Field(description="Size of all originals.")
    images: Use = Field(description="Of all collections, rejected ones too: their originals are kept.")
    jobs: Use = Field(description="That wait or run now.")


class OwnerOut(QuotaOut):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000021",
                "name": "garden",
                **_USE,
                "created_at": "2026-05-01T12:00:00Z",
            }
        }
    )

    id: UUID
    name: str
    created_at: datetime


class OwnerPatch(BaseModel):
    """A field left out stays; null lifts the limit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"bytes": 10000000000, "jobs": None}})

    bytes: Bytes | None = Field(None, description="Most bytes of originals.")
    images: Count | None = Field(None, description="Most images.")
    jobs: Count | None = Field(None, description="Most jobs that wait or run at the same time.")
