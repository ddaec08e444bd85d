"""Encoders, and what trains them, as the API shows them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.text import Line

DEFAULT = "efficientnet-lite0"
_ID = "0199c0de-0000-7000-8000-000000000004"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class EncoderOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "name": "garden-simclr",
                "origin": "finetuned",
                "base": "efficientnet-lite0",
                "method": "simclr",
                "params": {"epochs": 10, "lr": 0.0001},
                "dim": 1280,
                "sha256": _SHA256,
                "available": True,
                "reason": None,
                "metrics": {"retrieval": 0.91},
                "recommended": True,
                "verdict": "Use it: on held-out pictures it finds the other view of a picture more often.",
                "collection_id": "0199c0de-0000-7000-8000-000000000001",
                "created_at": "2026-05-01T12:00:00Z",
            }
        }
    )

    id: UUID
    name: str
    origin: Literal["builtin", "hub", "finetuned"]
    base: str | None = Field(description="The architecture; of a fine-tuned one, the encoder that it comes from.")
    method: str | None
    params: dict[str, Any]
    dim: int = Field(description="Length of the vectors it makes.")
    sha256: str | None = Field(description="Of the weight file; null while that is not on this machine.")
    available: bool
    reason: str | None = Field(description="Why it is not available, and what to do.")
    metrics: dict[str, Any] | None = Field(description="On held-out images of its collection; see docs/metrics.md.")
    recommended: bool | None = Field(description="Whether to use it rather than its base; null for those not tuned.")
    verdict: str | None = Field(description="Why, in a sentence.")
    collection_id: UUID | None = Field(description="Whose images it was fine-tuned on, and where it can be used.")
    created_at: datetime


class MethodOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "simclr",
                "summary": "Two views of a picture attract each other, views of different pictures repel.",
                "paper": "https://arxiv.org/abs/2002.05709",
                "needs": [],
                "params": {"type": "object", "properties": {"epochs": {"type": "integer", "default": 10}}},
            }
        }
    )

    name: str
    summary: str
    paper: str
    needs: list[str] = Field(description='What an encoder must be or have: "vit" is a vision transformer.')
    params: dict[str, Any] = Field(description="JSON schema of the parameters.")


class EncoderIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"method": "simclr", "base": DEFAULT, "params": {"epochs": 5}, "name": "garden-simclr"}
        },
    )

    method: Line = Field(description="See GET /v1/methods.")
    base: Line = Field(DEFAULT, description="Id or name of the built-in or hub encoder to start from.")
    params: dict[str, Any] = Field(default_factory=dict, description="See GET /v1/methods.")
    name: Line | None = Field(None, description="Its name in the collection; by default the method's and a number.")
    labels: dict[str, str] | None = Field(
        None,
        min_length=1,
        description="By an image's name or id; only to measure how good the encoder gets, never to train it.",
    )


class TrainingOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "encoder_id": _ID,
                "method": "simclr",
                "base": "efficientnet-lite0",
                "params": {"epochs": 1, "lr": 0.0001},
                "seed": 0,
                "fingerprint": _SHA256,
                "versions": {"roost": "0.1.0", "torch": "2.9.0", "timm": "1.0.22", "openvino": "2025.3"},
                "ended": "epochs",
                "epochs": [
                    {"epoch": 0, "spread": 0.97, "rankme": 310.0, "retrieval": 0.84},
                    {"epoch": 1, "loss": 1.9, "lr": 0.0, "spread": 0.95, "rankme": 305.0, "retrieval": 0.91},
                ],
                "curves": None,
            }
        }
    )

    encoder_id: UUID
    method: str
    base: str
    params: dict[str, Any]
    seed: int
    fingerprint: str = Field(description="Of the training images: SHA-256 over their files' sorted SHA-256s.")
    versions: dict[str, str]
    ended: str = Field(description="What ran out: epochs or budget.")
    epochs: list[dict[str, int | float | None]] = Field(description="A record an epoch; 0 is before the training.")
    curves: dict[str, Any] | None = Field(description="What the method itself draws.")


class HeldOut(BaseModel):
    images: int
    fingerprint: str = Field(description="SHA-256 over the sorted SHA-256s of the images' files.")


class MeasuredEncoder(BaseModel):
    id: UUID
    name: str
    sha256: str = Field(description="Of the weights that were measured.")


class ComparedEncoder(BaseModel):
    encoder: MeasuredEncoder
    base: str | None
    method: str | None
    images_trained: int | None
    metrics: dict[str, Any]
    recommended: bool | None
    verdict: str | None
    current: bool = Field(description="Whether it was measured on the newest held-out images; others compare badly.")


class ComparisonOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "held_out": {"images": 72, "fingerprint": _SHA256},
                "items": [
                    {
                        "encoder": {"id": _ID, "name": "garden-simclr", "sha256": _SHA256},
                        "base": "efficientnet-lite0",
                        "method": "simclr",
                        "images_trained": 646,
                        "metrics": {"retrieval": 0.91},
                        "recommended": True,
                        "verdict": "Use it: on held-out pictures it finds the other view of a picture more often.",
                        "current": True,
                    }
                ],
            }
        }
    )

    held_out: HeldOut | None = Field(description="The newest; null before anything was fine-tuned here.")
    items: list[ComparedEncoder]
