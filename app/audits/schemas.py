"""Audits as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

MOST = 500  # images a person is asked about at once


class AuditIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"images": 20}})

    images: int = Field(20, ge=1, le=MOST, strict=True, description="How many to draw; a small cluster gives all.")


class AuditPatch(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"answers": {"0199c0de-0000-7000-8000-000000000002": True}}},
    )

    answers: dict[UUID, StrictBool | None] = Field(
        min_length=1, max_length=MOST, description="Whether each image belongs; null takes an answer back."
    )


class AuditImage(BaseModel):
    image_id: UUID
    name: str | None = Field(description="null: the image was deleted since.")
    answer: bool | None


class PurityOut(BaseModel):
    estimate: float = Field(description="Share of the answered images that belong.")
    low: float
    high: float
    level: float = Field(description="How often such an interval holds the cluster's true share, at least.")
    method: Literal["hypergeometric"] = "hypergeometric"


class AuditOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000007",
                "clustering_id": "0199c0de-0000-7000-8000-000000000005",
                "cluster": 0,
                "size": 84,
                "revision": 1,
                "stale": False,
                "yes": 1,
                "no": 0,
                "purity": {"estimate": 1.0, "low": 0.036, "high": 1.0, "level": 0.95, "method": "hypergeometric"},
                "images": [
                    {"image_id": "0199c0de-0000-7000-8000-000000000002", "name": "wren/0012.jpg", "answer": True}
                ],
                "created_at": "2026-05-01T12:30:00Z",
            }
        }
    )

    id: UUID
    clustering_id: UUID
    cluster: int
    size: int = Field(description="Images of the cluster when these were drawn.")
    revision: int = Field(description="Of the clustering, when these were drawn.")
    stale: bool = Field(description="The clustering has changed since: this tells of the cluster as it was.")
    yes: int
    no: int
    purity: PurityOut | None = Field(description="null until the first answer.")
    images: list[AuditImage] = Field(description="In the order they were drawn.")
    created_at: datetime
