"""Search as the API shows it."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Query(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"image_id": "0199c0de-0000-7000-8000-000000000000"}}
    )

    image_id: UUID


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
