"""Clusterings as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.encoders.schemas import DEFAULT
from app.text import Line


class AlgorithmOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "kmeans",
                "summary": "Round groups of similar direction, as many as asked for.",
                "params": {"type": "object", "properties": {"restarts": {"type": "integer", "default": 20}}},
            }
        }
    )

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
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000005",
                "collection_id": "0199c0de-0000-7000-8000-000000000001",
                "encoder": {
                    "id": "0199c0de-0000-7000-8000-000000000004",
                    "name": "efficientnet-lite0",
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                },
                "algorithm": "kmeans",
                "k": 13,
                "k_requested": "auto",
                "params": {"restarts": 20},
                "seed": 0,
                "version": "0.1.0",
                "images": 718,
                "outliers": 9,
                "metrics": {"silhouette": 0.21},
                "created_at": "2026-05-01T12:00:20Z",
                "job_id": "0199c0de-0000-7000-8000-000000000003",
                "revision": 1,
            }
        }
    )

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
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 0,
                "label": "wren",
                "size": 84,
                "cohesion": 0.71,
                "representatives": ["0199c0de-0000-7000-8000-000000000002"],
            }
        }
    )

    id: int = Field(description="Its number in the clustering, from 0, biggest first.")
    label: str | None
    size: int
    cohesion: float = Field(description="Mean cosine similarity of its images to its centre.")
    representatives: list[UUID] = Field(description="Most typical first, without near-duplicates.")


class MemberOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "image_id": "0199c0de-0000-7000-8000-000000000002",
                "name": "wren/0012.jpg",
                "distance": 0.12,
            }
        }
    )

    image_id: UUID
    name: str
    distance: float = Field(description="Cosine distance to the centre.")


class LabelsIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"labels": {"wren/0012.jpg": "wren"}}})

    labels: dict[str, str] = Field(min_length=1, description="By an image's name or id.")


class EvaluationOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "n": 718,
                "k": 13,
                "nmi": 0.77,
                "ari": 0.62,
                "accuracy": 0.71,
                "purity": 0.75,
                "homogeneity": 0.76,
                "completeness": 0.78,
            }
        }
    )

    n: int
    k: int
    nmi: float
    ari: float
    accuracy: float
    purity: float
    homogeneity: float
    completeness: float
