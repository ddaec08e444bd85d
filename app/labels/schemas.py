"""Names that spread, as the API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt

from app.text import Line

MOST_NAMES = 10_000  # in one request; a request that continues another adds to its names
Number = Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,8})$")]


class PropagationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "names": {"0199c0de-0000-7000-8000-000000000002": "wren"},
                "clusters": {"3": "robin"},
                "unknown_below": 0.5,
            }
        },
    )

    names: dict[UUID, Line] = Field(default_factory=dict, max_length=MOST_NAMES, description="By an image's id.")
    clusters: dict[Number, Line] | StrictBool = Field(
        False, description="Names of clusters by number, or true for the labels of all that have one; trusted less."
    )
    unknown_below: StrictFloat = Field(0.5, ge=0, le=1, description="With less confidence an image's label is unknown.")
    continues: UUID | None = Field(None, alias="from", description="A propagation whose names count too.")
    seed: StrictInt = Field(0, ge=0, lt=2**31)


class LabelCount(BaseModel):
    label: str
    given: int = Field(description="Images that a person gave this name.")
    images: int = Field(description="Images that have this label now, the given ones too.")


class Estimated(BaseModel):
    """How well names that were left out are foretold by the others."""

    names: int = Field(description="How many were left out, in turns.")
    accuracy: float
    low: float = Field(description="Ends of the 95% interval, if the names are a random sample of the images.")
    high: float
    ece: float = Field(description="Expected calibration error in 15 bins; too high where names are few.")


class PropagationOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000006",
                "clustering_id": "0199c0de-0000-7000-8000-000000000005",
                "from": None,
                "clusters": {"3": "robin"},
                "unknown_below": 0.5,
                "seed": 0,
                "images": 718,
                "given": 65,
                "unknown": 24,
                "labels": [{"label": "wren", "given": 5, "images": 56}, {"label": "robin", "given": 5, "images": 61}],
                "estimated": {"names": 65, "accuracy": 0.86, "low": 0.76, "high": 0.93, "ece": 0.08},
                "temperature": 0.81,
                "novelty": True,
                "job_id": "0199c0de-0000-7000-8000-000000000003",
                "created_at": "2026-05-01T12:40:00Z",
            }
        },
        populate_by_name=True,
    )

    id: UUID
    clustering_id: UUID
    continues: UUID | None = Field(alias="from")
    clusters: dict[str, str] = Field(description="The clusters that were named, and how.")
    unknown_below: float
    seed: int
    images: int
    given: int
    unknown: int
    labels: list[LabelCount] = Field(description="Most images first.")
    estimated: Estimated | None = Field(description="null when too few names could be left out.")
    temperature: float = Field(description="What the names left out made of the confidence: above 1 is less sure.")
    novelty: bool = Field(description="There are names enough to call images unknown that are unlike all of them.")
    job_id: UUID
    created_at: datetime


class PredictionOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "image_id": "0199c0de-0000-7000-8000-000000000002",
                "name": "wren/0012.jpg",
                "label": None,
                "guess": "wren",
                "confidence": 0.44,
                "given": False,
                "worth": 3.2,
            }
        }
    )

    image_id: UUID
    name: str
    label: str | None = Field(description="null: unknown.")
    guess: str = Field(description="The likeliest label, even of an unknown image.")
    confidence: float = Field(description="That the guess is right, if the image is of a named kind; 0 to 1.")
    given: bool = Field(description="A person gave this name.")
    worth: float = Field(description="How much an answer would help: about so many doubtful images are like this one.")
