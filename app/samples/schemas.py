"""A sample gallery as it is asked for."""

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from app.text import Line


class SampleIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Sample gallery", "images": 300, "seed": 0}}
    )

    name: Line = Field("Sample gallery", description="Of the collection it becomes.")
    images: StrictInt = Field(
        300, ge=20, le=2000, description="How many files; near-duplicates, a duplicate and a broken one are among them."
    )
    seed: StrictInt = Field(0, ge=0, lt=2**32, description="The same seed and number give the same files.")
