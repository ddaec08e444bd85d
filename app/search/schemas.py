"""Search as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.text import Moment, Sought
from models.images.part import Part

MAX_EXAMPLES = 100  # of either kind
_BELOW_ONE = 1 + 1e-6  # where a box may end: 0.7 + 0.3 is not 1 to a computer

Fraction = Annotated[float, Field(ge=0, le=1, strict=True)]
Box = Annotated[
    list[Fraction],
    Field(
        min_length=4,
        max_length=4,
        description="x, y, width, height from the top left, as fractions of the picture as its thumbnail shows it.",
    ),
]
Examples = Annotated[list[UUID], Field(max_length=MAX_EXAMPLES)]


class Filters(BaseModel):
    """What a hit must be besides similar, with the meanings of GET /v1/collections/{id}/images."""

    cluster: int | Sought | None = Field(None, description="N of the newest clustering, or CLUSTERING:N.")
    taken_after: Moment | None = Field(None, description="At this time or later.")
    taken_before: Moment | None = Field(None, description="Before this time.")
    camera: Sought | None = None
    name: Sought | None = Field(None, description="A part of the name.")

    def given(self) -> dict[str, str | int | datetime]:
        """The filters that are set, by name."""
        return {name: value for name in Filters.model_fields if (value := getattr(self, name)) not in (None, "")}


class Query(Filters):
    """Either an image, or a box on it, or examples."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                "image_id": "0199c0de-0000-7000-8000-000000000000",
                "box": [0.25, 0.1, 0.4, 0.5],
                "taken_after": "2026-05-01T00:00:00Z",
            }
        },
    )

    image_id: UUID | None = Field(None, description="An image of the collection; it is not among its own hits.")
    box: Box | None = Field(None, description="Only this part of the image.")
    positives: Examples | None = Field(None, description="Images to find more of; they are not among the hits.")
    negatives: Examples | None = Field(None, description="Images to find less of; they are not among the hits.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.image_id is None) == (not self.positives):
            raise ValueError('give either "image_id" or at least one image in "positives"')
        if self.box is not None and self.image_id is None:
            raise ValueError('"box" needs the "image_id" of the image it is drawn on')
        if self.negatives and not self.positives:
            raise ValueError('"negatives" need "positives" beside them')
        if self.box is not None:
            part(self.box)
        return self


def part(box: list[float]) -> Part:
    """The box as a part of a picture. Raises ValueError."""
    x, y, width, height = box
    if width <= 0 or height <= 0 or x + width > _BELOW_ONE or y + height > _BELOW_ONE:
        raise ValueError(
            "box is [x, y, width, height] in fractions of the picture, with an area and within the picture"
        )
    return x, y, width, height


class Hit(BaseModel):
    image_id: UUID
    name: str
    score: float = Field(description="Cosine similarity, at most 1.")


class SearchOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "encoder": "efficientnet-lite0",
                "hits": [{"image_id": "0199c0de-0000-7000-8000-000000000002", "name": "wren/0012.jpg", "score": 0.83}],
            }
        }
    )

    encoder: str
    hits: list[Hit] = Field(description="Best first.")


def body() -> dict[str, Any]:
    """The OpenAPI text of both kinds of request body."""
    boxes = {"type": "string", "description": "A JSON array as in the other kind of body: only this part of it."}
    fields = {"file": {"type": "string", "format": "binary"}, "box": boxes | {"example": "[0.25, 0.1, 0.4, 0.5]"}}
    content = {
        "application/json": {"schema": Query.model_json_schema()},
        "multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": fields}},
    }
    return {"requestBody": {"required": True, "content": content}}
