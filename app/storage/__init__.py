"""Where blobs live."""

from urllib.parse import urlsplit

from app.storage.base import Storage
from app.storage.file import FileStorage


def open_storage(url: str) -> Storage:
    """The storage that a URL names, by its scheme: file:///folder."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FileStorage.open(parts.path)
    raise ValueError(f"ROOST_STORAGE_URL {url!r}: only file:// is known; use for example file:///srv/roost/blobs")


__all__ = ["Storage", "open_storage"]
