"""Near-duplicates as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from app.encoders.schemas import DEFAULT as DEFAULT_ENCODER
from app.text import Line
from models.duplicates.find import DEFAULT, LOWEST

Similarity = Annotated[
    float,
    Query(
        ge=100 * LOWEST,
        le=100,
        description="In per cent: the share of a picture that is the same in the other one, laid over it. 100: the "
        "same pixels; from about 95: saved again, resized, turned by a quarter or mirrored; from 50: cropped, tilted, "
        "with a caption or border, or the next picture of a burst.",
    ),
]
DEFAULT_SIMILARITY = 100 * DEFAULT
_SCAN: dict[str, Any] = {"images": 718, "created_at": "2026-05-01T12:03:00Z", "complete": True}
_MEMBER: dict[str, Any] = {
    "image_id": "0199c0de-0000-7000-8000-000000000002",
    "name": "wren/0012.jpg",
    "similarity": 97.4,
    "kind": "hash",
}


class SearchIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"encoder": "efficientnet-lite0"}})

    encoder: Line = Field(DEFAULT_ENCODER, description="Whose embeddings name pairs to look at: an id or name.")


class DuplicateOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _MEMBER})

    image_id: UUID
    name: str
    similarity: float = Field(description="In per cent, to the image of the group that it is most like.")
    kind: Literal["exact", "hash", "embedding"] = Field(
        description="What led to it: equal pixels, a near perceptual hash (also of the turned or mirrored picture), or "
        "a near embedding."
    )


class GroupOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"representative": _MEMBER["image_id"], "size": 3, "images": [_MEMBER]},
        }
    )

    representative: UUID = Field(description="The image with most pixels, then most bytes.")
    size: int
    images: list[DuplicateOut] = Field(
        description="The representative, then the others, most alike first; 50 at most: GET .../duplicates/{image_id} "
        "lists them all."
    )


class Scan(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _SCAN})

    images: int = Field(description="How many were searched.")
    created_at: datetime
    complete: bool = Field(description="Whether it covers every image that the collection has now.")


class Totals(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"groups": 4, "images": 11, "spare": 7}})

    groups: int
    images: int = Field(description="In groups.")
    spare: int = Field(description="What would go if each group kept one image.")


class GroupsPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [{"representative": _MEMBER["image_id"], "size": 3, "images": [_MEMBER]}],
                "next_cursor": None,
                "totals": {"groups": 4, "images": 11, "spare": 7},
                "scan": _SCAN,
            }
        }
    )

    items: list[GroupOut]
    next_cursor: str | None
    totals: Totals
    scan: Scan
