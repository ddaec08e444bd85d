"""An import as it is asked for."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.imports.address import MAX_LENGTH

MOST_URLS = 1000


class ImportIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"urls": ["https://images.example.org/birds/0012.jpg"]}},
    )

    urls: list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]] = Field(
        min_length=1,
        max_length=MOST_URLS,
        description="http or https. One that can't be fetched is rejected by itself; the others go on.",
    )
