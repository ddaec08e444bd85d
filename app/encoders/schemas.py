"""Encoders as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class EncoderOut(BaseModel):
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
