"""Where blobs live."""

from pathlib import Path
from urllib.parse import urlsplit

from app.storage.base import Reader, Stat, Storage
from app.storage.file import FileStorage


def open_storage(url: str, *, cache: Path | None = None, cache_bytes: int = 20 * 2**30) -> Storage:
    """The storage that a URL names, by its scheme: file:///folder or s3://bucket/prefix.

    `cache` is where a store on the network keeps this machine's copies, at most about `cache_bytes` of them.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FileStorage.open(parts.path)
    if parts.scheme == "s3" and cache is not None:
        try:
            from app.storage.s3 import S3Storage  # boto3 takes half a second, and only this needs it
        except ModuleNotFoundError as error:
            raise ValueError(f"ROOST_STORAGE_URL {url!r} needs boto3; install roost[s3]") from error
        return S3Storage.open(url, cache, cache_bytes)
    raise ValueError(
        f"ROOST_STORAGE_URL {url!r}: only file:// and s3:// are known; use for example file:///srv/roost/blobs"
    )


__all__ = ["Reader", "Stat", "Storage", "open_storage"]
