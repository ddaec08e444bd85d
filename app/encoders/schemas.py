"""Encoders as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class EncoderOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000004",
                "name": "efficientnet-lite0",
                "origin": "builtin",
                "base": "tf_efficientnet_lite0",
                "method": None,
                "params": {},
                "dim": 1280,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "available": True,
                "reason": None,
                "metrics": None,
                "recommended": None,
                "verdict": None,
                "collection_id": None,
                "created_at": "2026-05-01T12:00:00Z",
            }
        }
    )

    id: UUID
    name: str
    origin: Literal["builtin", "hub", "finetuned"]
    base: str | None
    method: str | None
    params: dict[str, Any]
    dim: int = Field(description="Length of the vectors it makes.")
    sha256: str | None = Field(description="Of the weight file; null while that is not on this machine.")
    available: bool
    reason: str | None = Field(description="Why it is not available, and what to do.")
    metrics: dict[str, float] | None
    recommended: bool | None
    verdict: str | None
    collection_id: UUID | None
    created_at: datetime
