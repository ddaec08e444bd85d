"""Corrections as people send them, and as the history shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from app.clusterings.schemas import ClusterOut
from app.text import Line

IMAGE = "0199c0de-0000-7000-8000-000000000002"
Number = Annotated[int, Field(ge=0, lt=2**31, strict=True, description="A cluster's id in the clustering.")]
Images = Annotated[list[UUID], Field(min_length=1, max_length=10_000, description="Image ids.")]


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    who: Line | None = Field(None, description="For the history.")


class RenameIn(_Edit):
    """Name a cluster; null takes its name away."""

    kind: Literal["rename"]
    cluster: Number
    label: Line | None


class MergeIn(_Edit):
    """Make several clusters one: the first of them, under its name or else the first there is."""

    kind: Literal["merge"]
    clusters: list[Number] = Field(min_length=2, max_length=1000)

    @model_validator(mode="after")
    def _distinct(self) -> "MergeIn":
        if len(set(self.clusters)) < len(self.clusters):
            raise ValueError("name each cluster once")
        return self


class SplitIn(_Edit):
    """Divide a cluster into several by k-means, or take the images named off it."""

    kind: Literal["split"]
    cluster: Number
    into: Annotated[int, Field(ge=2, le=100, strict=True)] | None = None
    images: Images | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "SplitIn":
        if (self.into is None) == (self.images is None):
            raise ValueError("give either into or images")
        return self


class MoveIn(_Edit):
    """Move images to a cluster, or with null out of all. There they stay in later runs too."""

    kind: Literal["move"]
    images: Images
    cluster: Number | None


class PinIn(_Edit):
    """Keep images where they are, in later runs too."""

    kind: Literal["pin"]
    images: Images


class UnpinIn(_Edit):
    """Let later runs say where these images belong; they don't move now."""

    kind: Literal["unpin"]
    images: Images


class ExcludeIn(_Edit):
    """Say that images do not belong to a cluster: they go to the nearest other, and never come back to it by a run."""

    kind: Literal["exclude"]
    images: Images
    cluster: Number


AnyEdit = RenameIn | MergeIn | SplitIn | MoveIn | PinIn | UnpinIn | ExcludeIn


class EditIn(RootModel[Annotated[AnyEdit, Field(discriminator="kind")]]):
    model_config = ConfigDict(json_schema_extra={"example": {"kind": "rename", "cluster": 3, "label": "wren"}})


_EDIT: dict[str, Any] = {
    "id": "0199c0de-0000-7000-8000-000000000006",
    "clustering_id": "0199c0de-0000-7000-8000-000000000005",
    "revision": 2,
    "kind": "rename",
    "params": {"cluster": 3, "label": "wren"},
    "who": "Ada",
    "state": "done",
    "images": 0,
    "created_at": "2026-05-01T12:00:20Z",
}


class EditOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _EDIT})

    id: UUID
    clustering_id: UUID
    revision: int = Field(description="Of the clustering, once this was done.")
    kind: str = Field(description="As it was sent; or carried: the corrections of an earlier clustering applied again.")
    params: dict[str, Any]
    who: str | None
    state: Literal["done", "undone", "dropped"] = Field(description="Dropped: undone, then something else was done.")
    images: int = Field(description="How many images went to another cluster.")
    created_at: datetime


class EditedOut(EditOut):
    model_config = ConfigDict(
        json_schema_extra={
            "example": _EDIT
            | {
                "clustering_revision": 2,
                "clusters": [{"id": 3, "label": "wren", "size": 84, "cohesion": 0.71, "representatives": [IMAGE]}],
            }
        }
    )

    clustering_revision: int = Field(description="Of the clustering now; its ETag.")
    clusters: list[ClusterOut] = Field(description="Those that changed, as they are now; an empty one is gone.")


class PlaceOut(BaseModel):
    cluster: int | None
    label: str | None


class MovedOut(BaseModel):
    image_id: UUID
    name: str
    before: PlaceOut
    after: PlaceOut


class DiffOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "images": 718,
                "changed": 12,
                "ari": 0.96,
                "nmi": 0.97,
                "matches": {"0": 2, "1": 0, "2": 1},
                "items": [
                    {
                        "image_id": IMAGE,
                        "name": "wren/0012.jpg",
                        "before": {"cluster": 3, "label": "wren"},
                        "after": {"cluster": 5, "label": "robin"},
                    }
                ],
                "next_cursor": None,
            }
        }
    )

    images: int = Field(description="In both clusterings.")
    changed: int = Field(description="Of these, how many are not in the match of the cluster they were in.")
    ari: float | None = Field(description="Adjusted Rand index between the two; null without images in both.")
    nmi: float | None = Field(description="Normalised mutual information between the two; null without images in both.")
    matches: dict[int, int] = Field(description="Best one-to-one match of the clusters.")
    items: list[MovedOut] = Field(description="The images that changed, a page at a time.")
    next_cursor: str | None
