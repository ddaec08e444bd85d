"""Clusterings as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.encoders.service import DEFAULT
from app.text import Line


class AlgorithmOut(BaseModel):
    name: str
    summary: str
    params: dict[str, Any] = Field(description="JSON schema of the parameters.")


class ClusteringIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"encoder": "efficientnet-lite0", "algorithm": "kmeans", "k": "auto", "seed": 0}},
    )

    encoder: Line = Field(DEFAULT, description="An encoder's id or name.")
    algorithm: Line = "kmeans"
    k: Annotated[int, Field(ge=1, le=100_000, strict=True)] | Literal["auto"] = Field("auto", description="How many.")
    params: dict[str, Any] = Field(default_factory=dict, description="See GET /v1/algorithms.")
    seed: int = Field(0, ge=0, lt=2**31)


class EncoderRef(BaseModel):
    id: UUID
    name: str
    sha256: str


class ClusteringOut(BaseModel):
    id: UUID
    collection_id: UUID
    encoder: EncoderRef
    algorithm: str
    k: int
    k_requested: int | Literal["auto"]
    params: dict[str, Any]
    seed: int
    version: str = Field(description="Of Roost, when the clustering was made.")
    images: int
    outliers: int
    metrics: dict[str, float | None] = Field(description="Without labels; see docs/metrics.md.")
    created_at: datetime
    job_id: UUID
    revision: int


class ClusterOut(BaseModel):
    id: int = Field(description="Its number in the clustering, from 0, biggest first.")
    label: str | None
    size: int
    cohesion: float = Field(description="Mean cosine similarity of its images to its centre.")
    representatives: list[UUID] = Field(description="Most typical first, without near-duplicates.")


class MemberOut(BaseModel):
    image_id: UUID
    name: str
    distance: float = Field(description="Cosine distance to the centre.")


class LabelsIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"labels": {"wren/0012.jpg": "wren"}}})

    labels: dict[str, str] = Field(min_length=1, description="By an image's name or id.")


class EvaluationOut(BaseModel):
    n: int
    k: int
    nmi: float
    ari: float
    accuracy: float
    purity: float
    homogeneity: float
    completeness: float
