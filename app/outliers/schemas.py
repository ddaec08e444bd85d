"""Outliers as the API shows them."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class OutlierOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "image_id": "0199c0de-0000-7000-8000-000000000002",
                "name": "wren/0012.jpg",
                "cluster": 3,
                "score": 1.31,
            }
        }
    )

    image_id: UUID
    name: str
    cluster: int | None = Field(description="Where the image is now; null in no cluster.")
    score: float = Field(
        description="How far its 10th nearest image is, over what is far in its cluster of the run: 1 is the threshold."
    )
