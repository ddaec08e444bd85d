"""Clusterings as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from app.encoders.schemas import DEFAULT
from app.text import Line

ClusterOrder = Literal["number", "size", "cohesion"]


class AlgorithmOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "kmeans",
                "summary": "Round groups of similar direction, as many as asked for.",
                "takes_k": True,
                "finds_k": False,
                "params": {"type": "object", "properties": {"restarts": {"type": "integer", "default": 20}}},
            }
        }
    )

    name: str
    summary: str
    takes_k: bool = Field(description='Whether k may be a number; else it is "auto".')
    finds_k: bool = Field(description='Whether "auto" is the algorithm\'s own number, or one that is suggested.')
    params: dict[str, Any] = Field(description="JSON schema of the parameters.")


class ClusteringIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"encoder": "efficientnet-lite0", "algorithm": "kmeans", "k": "auto", "seed": 0}},
    )

    encoder: Line = Field(DEFAULT, description="An encoder's id or name.")
    algorithm: Line = Field(
        "kmeans",
        description='See GET /v1/algorithms; "auto" takes the one that agreed best with labels for so many images, and '
        "needs some minutes where kmeans needs seconds.",
    )
    k: Annotated[int, Field(ge=1, le=100_000, strict=True)] | Literal["auto"] = Field("auto", description="How many.")
    params: dict[str, Any] = Field(default_factory=dict, description="See GET /v1/algorithms.")
    seed: StrictInt = Field(0, ge=0, lt=2**31)
    event_gap_s: StrictFloat | None = Field(
        None,
        ge=0,
        le=86_400,
        description="Images that one camera took so few seconds apart are clustered as one; see .../events.",
    )


class SuggestionOut(BaseModel):
    """A number of clusters and what speaks for it."""

    k: int
    modularity: float = Field(description="Agreement with the graph of neighbours; below 1, higher is better.")
    silhouette: float | None = Field(description="-1 to 1, higher is better.")
    davies_bouldin: float | None = Field(description="From 0, lower is better.")
    balance: float | None = Field(description="Entropy of the sizes: 1 when clusters are equal.")
    stability: float | None = Field(None, description="Agreement (ARI) with 20 resamples; only of those suggested.")


class SuggestionsOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "k": 10,
                "suggested": [
                    {"k": 10, "modularity": 0.76, "silhouette": 0.23, "davies_bouldin": 2.47, "balance": 0.97,
                     "stability": 0.74}
                ],
                "curve": [
                    {"k": 2, "modularity": 0.47, "silhouette": 0.21, "davies_bouldin": 2.71, "balance": 0.99}
                ],
            }
        }
    )  # fmt: skip

    k: int = Field(description="The one that was taken: the most stable of those suggested.")
    suggested: list[SuggestionOut] = Field(description="Two or three, from coarse to fine.")
    curve: list[SuggestionOut] = Field(description="Every candidate.")


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
                "sampled": None,
                "outliers": 9,
                "metrics": {"silhouette": 0.21},
                "created_at": "2026-05-01T12:00:20Z",
                "job_id": "0199c0de-0000-7000-8000-000000000003",
                "revision": 1,
                "event_gap_s": None,
                "parent_id": None,
                "every_k": False,
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
    sampled: int | None = Field(None, description="How many of them the clusters were found on, when not on all.")
    outliers: int
    metrics: dict[str, float | None] = Field(description="Without labels; see docs/metrics.md.")
    created_at: datetime
    job_id: UUID
    revision: int = Field(description="Rises with every correction and every image that joins; see If-Match.")
    event_gap_s: float | None
    parent_id: UUID | None = Field(description="The clustering whose corrections were applied again to this one.")
    every_k: bool = Field(description="Whether ?k= gives any number of clusters.")


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

    id: int = Field(description="Its number: the run counts from 0, biggest first; corrections keep the numbers.")
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
