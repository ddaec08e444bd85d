"""Every setting of Roost, read from the environment with the prefix ROOST_. docs/configuration.md explains each."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.imports.allowed import AllowList


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "roost"


class Settings(BaseSettings):
    """What a person may choose. The defaults are the embedded setting: one process, one data folder, no server."""

    model_config = SettingsConfigDict(env_prefix="ROOST_", frozen=True)

    data: Path = Field(Path("data"), description="Folder of the database, the pictures and everything made from them.")
    database_url: str | None = Field(None, description="SQLAlchemy URL; by default SQLite in the data folder.")
    storage_url: str | None = Field(None, description="Where blobs live; by default file:// in the data folder.")
    storage_cache_bytes: int = Field(20 * 2**30, gt=0, description="Copies kept of blobs in S3, in bytes.")
    broker_url: str = Field("memory://", description="Celery broker: memory:// or redis://HOST:PORT/DB.")
    cache: Path = Field(default_factory=_cache, description="Converted networks and the like; safe to delete.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where embedding runs.")
    precision: Literal["f32", "native"] = Field(
        "f32", description="native lets the CPU embed in bfloat16: up to twice as fast, not quite the same vectors."
    )
    embed_queue: Literal["cpu", "gpu"] = Field("cpu", description="Which workers embed: those of queue cpu or gpu.")
    train_processes: int = Field(
        0, ge=0, le=64, description="Processes that train one encoder together; 0: one for each CUDA device."
    )
    concurrency: int = Field(2, ge=1, le=64, description="Jobs that one worker runs at the same time.")

    max_file_bytes: int = Field(100 * 2**20, gt=0, description="Largest single picture, in bytes.")
    max_archive_bytes: int = Field(50 * 2**30, gt=0, description="Largest archive, packed and unpacked, in bytes.")
    max_archive_members: int = Field(200_000, gt=0, description="Most files in one archive.")
    max_archive_ratio: int = Field(100, gt=1, description="Largest unpacked:packed ratio beyond the first 100 MB.")
    upload_piece_bytes: int = Field(8 * 2**20, gt=0, description="How often a resumable upload is made safe, in bytes.")
    max_upload_files: int = Field(1000, gt=0, le=10_000, description="Most files in one multipart upload.")

    import_hosts: str = Field("", description="Hosts to fetch pictures from, separated by commas; empty: none.")
    import_seconds: float = Field(
        60.0, gt=0, le=3600, description="Limit for fetching one address, redirects included."
    )

    rate_per_minute: int = Field(1200, ge=0, description="Requests a minute that one key may make; 0 for any number.")
    audit_days: int = Field(400, gt=0, description="How long the audit log is kept, in days.")

    decode_memory_mb: int = Field(1024, ge=256, description="Memory limit of a process that decodes pictures.")
    decode_seconds: float = Field(20.0, gt=0, description="CPU and wall-clock limit for decoding one picture.")

    heartbeat_s: float = Field(10.0, gt=0, description="How often a worker renews the lease of its job.")
    lease_s: float = Field(60.0, gt=0, description="A job whose lease is older than this is taken over.")
    reconcile_s: float = Field(5.0, gt=0, description="How often lost jobs and messages are looked for.")
    job_stall_s: float = Field(
        7200.0, gt=0, description="A job that reports no progress for so long is ended, and tried again."
    )
    outage_wait_s: float = Field(
        604_800.0, ge=0, description="How long a job waits in all for room, or for its store, before it fails."
    )
    drain_s: float = Field(10.0, ge=0, description="How long a stopping worker waits for its jobs to hand back.")

    body_silence_s: float = Field(60.0, gt=0, description="A body of which nothing comes for so long is given up.")
    allowed_hosts: str = Field("", description="Names of this service besides its address, separated by commas.")

    log_format: Literal["console", "json"] = Field("console", description="console for people, json for collectors.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line logged.")

    @field_validator("import_hosts")
    @classmethod
    def _readable(cls, value: str) -> str:
        AllowList(value)
        return value

    @property
    def embedded(self) -> bool:
        """Whether jobs run in the service's own process, whose memory is their queue."""
        return self.broker_url.startswith("memory:")

    @cached_property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data / 'roost.db').resolve()}"

    @cached_property
    def resolved_storage_url(self) -> str:
        return self.storage_url or f"file://{(self.data / 'blobs').resolve()}"

    @cached_property
    def encoder_cache(self) -> Path:
        """Converted networks, one folder a SHA-256."""
        return self.cache / "encoders"

    @cached_property
    def storage_cache(self) -> Path:
        """This machine's copies of blobs that live elsewhere."""
        return self.cache / "blobs"

    @cached_property
    def scratch(self) -> Path:
        """Temporary files; on the same disk as the blobs, so that publishing one is a rename."""
        return self.data.resolve() / "tmp"

    def environment(self) -> dict[str, str]:
        """The environment that makes a child process read these very settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        values["data"] = str(self.data.resolve())
        return os.environ | {f"ROOST_{name.upper()}": str(value) for name, value in values.items()}
