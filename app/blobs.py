"""Stored files as answers."""

from pathlib import Path
from typing import Any

import structlog
from starlette.responses import FileResponse, MalformedRangeHeader
from starlette.responses import RangeNotSatisfiable as PastTheEnd

from app.errors import NotFound, RangeNotSatisfiable
from app.storage import Storage

log = structlog.get_logger("roost.storage")
NAME_BYTES = 255  # of a name that a file system takes; longer ones would also burst the header limits of proxies


class BlobResponse(FileResponse):
    """A file or the part of it that Range asks for. Errors come as problem+json, where Starlette sends plain text."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:  # to be ignored: RFC 9110, section 14.2
            return []
        except PastTheEnd as error:
            headers = {"Content-Range": f"bytes */{file_size}"}
            raise RangeNotSatisfiable(f"The file has {file_size} bytes.", headers=headers) from error


def blob(
    storage: Storage, key: str, media_type: str, *, name: str | None = None, headers: dict[str, str] | None = None
) -> BlobResponse:
    """The blob of a row that exists, to be saved under `name` where one is given.

    NotFound (file_missing) when it is gone: another request has just deleted the row, or somebody the file.
    """
    path = storage.local(key)
    try:
        stat_result = path.stat()
    except FileNotFoundError as error:
        raise missing(key) from error
    return BlobResponse(
        path, media_type=media_type, filename=name and download_name(name), headers=headers, stat_result=stat_result
    )


def contents(media_type: str, content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of a file: whole, or the part that Range asked for."""
    whole, part = {"description": "The file"}, {"description": "The part that Range asked for"}
    return {200: whole | {"content": {media_type: content}}, 206: part | {"content": {media_type: content}}}


def missing(key: str) -> NotFound:
    """A blob that should be there is not: an operator must hear of it."""
    log.error("a blob is missing", key=key)
    return NotFound("The file is missing in the storage; upload it again, and see the log.", code="file_missing")


def download_name(name: str) -> str:
    """The last part of an image's name, cut in its middle rather than at its extension to NAME_BYTES of UTF-8."""
    last = name.rstrip("/").rpartition("/")[2] or "unnamed"
    suffix = Path(last).suffix.encode()[:20]
    stem = last.encode()[: -len(suffix) or None]
    return (stem[: NAME_BYTES - len(suffix)] + suffix).decode("utf-8", "ignore")
