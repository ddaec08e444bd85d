"""The parts of tus that every call has: the version, and the headers of an answer."""

from collections.abc import Callable, Coroutine
from datetime import UTC
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from app.db.tables import Upload
from app.errors import PreconditionFailed, RoostError, UnsupportedType
from app.settings import Settings
from app.uploads.checksum import ALGORITHMS

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
OFFSETS = "application/offset+octet-stream"
JOB = "Roost-Job"
SPOKEN = {"Tus-Resumable": VERSION}


class TusRoute(APIRoute):
    """Every answer says which version it speaks, those that refuse something as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def spoken(request: Request) -> Response:
            try:
                response = await answer(request)
            except RoostError as error:
                error.headers = SPOKEN | error.headers
                raise
            except RequestValidationError as error:
                if request.headers.get("tus-resumable") != VERSION:  # who speaks another version may mean other headers
                    raise wrong_version() from error
                raise
            response.headers.update(SPOKEN)
            return response

        return spoken


def wrong_version() -> PreconditionFailed:
    headers = SPOKEN | {"Tus-Version": VERSION}
    return PreconditionFailed(f"Send Tus-Resumable: {VERSION}.", code="tus_version", headers=headers)


def _resumable(
    version: Annotated[str | None, Header(alias="Tus-Resumable", json_schema_extra={"enum": [VERSION]})] = None,
) -> None:
    if version != VERSION:
        raise wrong_version()


Resumable = Depends(_resumable)


def check_content_type(request: Request) -> None:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != OFFSETS:
        raise UnsupportedType(f"Send the bytes as {OFFSETS}.")


def abilities(settings: Settings) -> dict[str, str]:
    """What OPTIONS answers."""
    return SPOKEN | {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max(settings.max_archive_bytes, settings.max_file_bytes)),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def headers(upload: Upload) -> dict[str, str]:
    """How far the upload is, until when it may go on, and the job when it is complete."""
    expires = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    known = {"Upload-Offset": str(upload.received), "Upload-Expires": expires}
    return known | ({JOB: str(upload.job_id)} if upload.job_id else {})
