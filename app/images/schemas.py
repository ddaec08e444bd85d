"""Images and uploads as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["pending", "ready", "rejected"]


class ImageError(BaseModel):
    code: str
    detail: str


class ExifOut(BaseModel):
    """Camera and settings; null is what the picture does not say, or what makes no sense."""

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    exposure_s: float | None = Field(None, description="Seconds.")
    f_number: float | None = None
    iso: int | None = None
    focal_length_mm: float | None = None
    focal_length_35mm: int | None = Field(None, description="Of a lens that sees as much on 35 mm film.")
    flash: bool | None = Field(None, description="Whether it fired.")


class ImageOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000002",
                "collection_id": "0199c0de-0000-7000-8000-000000000001",
                "name": "wren/0012.jpg",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "bytes": 1794202,
                "format": "jpeg",
                "width": 4032,
                "height": 3024,
                "status": "ready",
                "error": None,
                "taken_at": "2026-04-30T05:12:44Z",
                "camera": "NIKON Z 8",
                "exif": {
                    "make": "NIKON CORPORATION",
                    "model": "NIKON Z 8",
                    "lens": "NIKKOR Z 180-600mm f/5.6-6.3 VR",
                    "exposure_s": 0.0005,
                    "f_number": 6.3,
                    "iso": 900,
                    "focal_length_mm": 600.0,
                    "focal_length_35mm": 600,
                    "flash": False,
                },
                "created_at": "2026-05-01T12:00:00Z",
            }
        }
    )

    id: UUID
    collection_id: UUID
    name: str
    sha256: str
    bytes: int
    format: str
    width: int | None
    height: int | None
    status: Status
    error: ImageError | None
    taken_at: datetime | None
    camera: str | None
    exif: ExifOut | None = Field(description="Null without any, and for images from before Roost kept it.")
    created_at: datetime


class ImagePlaceOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "clustering_id": "0199c0de-0000-7000-8000-000000000005",
                "cluster": 3,
                "label": "wren",
                "distance": 0.12,
                "pinned": False,
                "excluded": [7],
                "outlier": False,
                "outlier_score": 0.31,
            }
        }
    )

    clustering_id: UUID
    cluster: int | None = Field(description="Where the image is now; null in no cluster.")
    label: str | None
    distance: float = Field(description="Cosine distance to the cluster's centre, in no cluster to the nearest.")
    pinned: bool = Field(description="Whether a person said that it belongs there, by moving or pinning it.")
    excluded: list[int] = Field(description="Clusters that a person said it does not belong to.")
    outlier: bool = Field(description="Whether the run itself left it out of every cluster.")
    outlier_score: float | None = Field(description="See .../outliers: 1 is the threshold; null where none was made.")


class UploadItem(BaseModel):
    name: str
    status: Literal["created", "duplicate", "rejected"]
    image_id: UUID | None = Field(None, description="The image; for a duplicate the one that was there before.")
    code: str | None = None
    detail: str | None = None


class UploadOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "created": 1,
                "duplicates": 0,
                "rejected": 1,
                "items": [
                    {"name": "a.jpg", "status": "created", "image_id": "0199c0de-0000-7000-8000-000000000002"},
                    {"name": "x.gif", "status": "rejected", "code": "image_too_large", "detail": "..."},
                ],
                "job_id": "0199c0de-0000-7000-8000-000000000003",
            }
        }
    )

    created: int
    duplicates: int
    rejected: int
    items: list[UploadItem]
    job_id: UUID | None = Field(None, description="The job that decodes the new images, when there are any.")


class JobAccepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"job_id": "0199c0de-0000-7000-8000-000000000003"}})

    job_id: UUID
