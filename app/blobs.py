"""Stored files as answers."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, MalformedRangeHeader
from starlette.responses import RangeNotSatisfiable as PastTheEnd
from starlette.types import Send

from app.errors import RangeNotSatisfiable
from app.storage import Reader, Stat, Storage
from app.storage.missing import missing

log = structlog.get_logger("roost.storage")
NAME_BYTES = 255  # of a name that a file system takes; longer ones would also burst the header limits of proxies


class BlobResponse(FileResponse):
    """A blob or the part of it that Range asks for, streamed from wherever it lives.

    Starlette knows the rules of ranges; it reads from a storage here instead of a file, and errors come as
    problem+json, where it would send plain text.
    """

    def __init__(self, storage: Storage, key: str, found: Stat, status_code: int = 200, **more: Any) -> None:
        """`status_code` is what FastAPI reads off the signature for the OpenAPI text."""
        when = int(found.modified)
        as_file = os.stat_result((stat.S_IFREG, 0, 0, 0, 0, 0, found.size, when, when, when))
        super().__init__(key, status_code, stat_result=as_file, **more)
        self.storage, self.key = storage, key
        self._ends: dict[int, int] = {}  # of the ranges, by their starts: no more is asked of the storage

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[Any]:
        stretch = _Stretch(self.storage, self.key, self._ends)
        try:
            yield stretch
        finally:
            with anyio.CancelScope(shield=True):  # the connection goes back even when the caller hangs up
                await stretch.aclose()

    async def _handle_simple(self, send: Send, send_header_only: bool, send_pathsend: bool) -> None:
        await super()._handle_simple(send, send_header_only, send_pathsend=False)

    async def _handle_single_range(
        self, send: Send, start: int, end: int, file_size: int, send_header_only: bool
    ) -> None:
        self._ends = {start: end}
        await super()._handle_single_range(send, start, end, file_size, send_header_only)

    async def _handle_multiple_ranges(
        self, send: Send, ranges: list[tuple[int, int]], file_size: int, send_header_only: bool
    ) -> None:
        self._ends = dict(ranges)
        await super()._handle_multiple_ranges(send, ranges, file_size, send_header_only)

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:  # to be ignored: RFC 9110, section 14.2
            return []
        except PastTheEnd as error:
            headers = {"Content-Range": f"bytes */{file_size}"}
            raise RangeNotSatisfiable(f"The file has {file_size} bytes.", headers=headers) from error


class _Stretch:
    """What Starlette does with a file it opened: seek() to a range's start, read() on from there, in threads."""

    def __init__(self, storage: Storage, key: str, ends: dict[int, int]) -> None:
        self.storage, self.key, self.ends = storage, key, ends
        self._start = 0
        self._reader: Reader | None = None

    async def seek(self, start: int) -> None:
        await self.aclose()
        self._start = start

    async def read(self, size: int) -> bytes:
        return await run_in_threadpool(self._read, size)

    async def aclose(self) -> None:
        if self._reader is not None:
            await run_in_threadpool(self._reader.close)
            self._reader = None

    def _read(self, size: int) -> bytes:
        if self._reader is None:
            self._reader = self.storage.reader(self.key, self._start, self.ends.get(self._start))
        return self._reader.read(size)


def blob(
    storage: Storage, key: str, media_type: str, *, name: str | None = None, headers: dict[str, str] | None = None
) -> BlobResponse:
    """The blob of a row that exists, to be saved under `name` where one is given.

    NotFound (file_missing) when it is gone: another request has just deleted the row, or somebody the file.
    """
    try:
        found = storage.stat(key)
    except FileNotFoundError as error:
        raise missing(key) from error
    return BlobResponse(
        storage, key, found, media_type=media_type, filename=name and download_name(name), headers=headers
    )


def contents(media_type: str, content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of a file: whole, or the part that Range asked for."""
    whole, part = {"description": "The file"}, {"description": "The part that Range asked for"}
    return {200: whole | {"content": {media_type: content}}, 206: part | {"content": {media_type: content}}}


def download_name(name: str) -> str:
    """The last part of an image's name, cut in its middle rather than at its extension to NAME_BYTES of UTF-8."""
    last = name.rstrip("/").rpartition("/")[2] or "unnamed"
    suffix = Path(last).suffix.encode()[:20]
    stem = last.encode()[: -len(suffix) or None]
    return (stem[: NAME_BYTES - len(suffix)] + suffix).decode("utf-8", "ignore")
