"""The installation as the API shows it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StorageOut(BaseModel):
    kind: Literal["local", "s3"]
    images: int = Field(description="Of all collections; counted anew every few seconds.")
    bytes: int = Field(description="Size of all originals.")
    free: int | None = Field(description="Bytes left on the disk; null for s3.")
    total: int | None = Field(description="Bytes the disk has; null for s3.")


class WorkerOut(BaseModel):
    name: str
    queues: list[str]
    last_seen: datetime


class LimitsOut(BaseModel):
    file_bytes: int = Field(description="Largest single picture.")
    pixels: int = Field(description="Most pixels of one picture, times its frames.")
    upload_files: int = Field(description="Most files in one multipart upload.")
    archive_bytes: int = Field(description="Largest archive, packed and unpacked.")
    archive_members: int = Field(description="Most files in one archive.")
    archive_ratio: int = Field(description="Largest unpacked:packed ratio beyond the first 100 MB.")


class SystemOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": "0.1.0",
                "python": "3.11.7",
                "device": "cpu",
                "database": "sqlite",
                "broker": "embedded",
                "storage": {
                    "kind": "local",
                    "images": 718,
                    "bytes": 1288490188,
                    "free": 52613349376,
                    "total": 105226698752,
                },
                "workers": [{"name": "embedded", "queues": ["cpu", "gpu"], "last_seen": "2026-05-01T12:00:00Z"}],
                "open": True,
                "import_hosts": ["images.example.org"],
                "limits": {
                    "file_bytes": 104857600,
                    "pixels": 50000000,
                    "upload_files": 1000,
                    "archive_bytes": 53687091200,
                    "archive_members": 200000,
                    "archive_ratio": 100,
                },
            }
        }
    )

    version: str
    python: str
    device: Literal["auto", "cpu", "cuda"] = Field(
        description="ROOST_DEVICE; cpu for auto where this machine, with the only worker, has no NVIDIA driver."
    )
    database: Literal["sqlite", "postgresql"]
    broker: Literal["embedded", "redis"]
    storage: StorageOut
    workers: list[WorkerOut] = Field(description="Those heard of in the last ten minutes.")
    open: bool = Field(description="Whether everybody may do everything: nobody needs a key.")
    import_hosts: list[str] = Field(description="Where pictures may be fetched from; empty: nowhere.")
    limits: LimitsOut
