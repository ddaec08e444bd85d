"""The tree of errors. Each class carries its HTTP status and its stable code; one handler turns all into problem+json.

RoostError
├── NotFound               404  collection_not_found, image_not_found, job_not_found, ...
├── Invalid                422  what the caller sent can't be used
├── TooLarge               413  file_too_large, archive_limit
├── UnsupportedType        415  image_type_unsupported, content_type_unsupported
├── Conflict               409  not now: report_not_ready, not_embedded, ...
├── PreconditionRequired   428  precondition_required
├── PreconditionFailed     412  stale
├── RangeNotSatisfiable    416  range_not_satisfiable
├── StorageFull            507  storage_full
└── Unavailable            503  database_busy, storage_unavailable, cache_full, encoder_unavailable
"""

import http
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from models.disk import no_space

log = structlog.get_logger("roost.errors")
ROUTING = {
    400: "The body can't be read as what its Content-Type says.",
    404: "There is nothing at this address; GET /openapi.json lists what there is.",
    405: "This address does not take that method; GET /openapi.json lists those it takes.",
}
POSTGRES_DISK_FULL = "53100"


class RoostError(Exception):
    """Base of all. `code` is stable and for programs, `detail` is a sentence for people that says what to do."""

    status = 500
    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.headers = headers or {}


class NotFound(RoostError):
    status, code = 404, "not_found"


class Invalid(RoostError):
    status, code = 422, "invalid"


class TooLarge(RoostError):
    status, code = 413, "file_too_large"


class UnsupportedType(RoostError):
    status, code = 415, "content_type_unsupported"


class Conflict(RoostError):
    status, code = 409, "conflict"


class PreconditionRequired(RoostError):
    status, code = 428, "precondition_required"


class PreconditionFailed(RoostError):
    status, code = 412, "stale"


class RangeNotSatisfiable(RoostError):
    status, code = 416, "range_not_satisfiable"


class StorageFull(RoostError):
    status, code = 507, "storage_full"


class Unavailable(RoostError):
    status, code = 503, "unavailable"


class Problem(BaseModel):
    """An error as RFC 9457 describes it, with a stable `code`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "code": "collection_not_found",
                "detail": "There is no collection 0199…; list them with GET /v1/collections.",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, Any]] | None = Field(None, description="For invalid input: where and what.")
    checks: dict[str, str] | None = Field(None, description="For readiness: each part, ok or failing.")


class ProblemResponse(JSONResponse):
    """application/problem+json. What a caller sent may be quoted in it, even text that is no Unicode."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> ProblemResponse:
    body = Problem(title=http.HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more)
    return ProblemResponse(body.model_dump(exclude_none=True), status, headers=headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the errors that a route answers."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": http.HTTPStatus(status).phrase, "content": content} for status in statuses}


@contextmanager
def full_disk_named() -> Iterator[None]:
    """The operating system's word for a full disk becomes StorageFull; its other errors stay what they are."""
    try:
        yield
    except OSError as error:
        if no_space(error):
            raise StorageFull("The disk is full; free some space or add some, then try again.") from error
        raise


def unforeseen(method: str, path: str, error: Exception) -> ProblemResponse:
    """The answer to what no handler knows: the log gets the details, the caller none of them."""
    log.error("unforeseen error", method=method, path=path, exc_info=error)
    return problem(500, "internal", "Something went wrong on our side; the service's log has the details.")


def install(app: FastAPI) -> None:
    """Answer every error of the tree, of validation, of routing and of the database as problem+json."""

    @app.exception_handler(RoostError)
    def known(_: Request, error: RoostError) -> Response:
        return problem(error.status, error.code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        found = [{"loc": [str(part) for part in e["loc"]], "msg": e["msg"]} for e in error.errors()]
        first = f"{'.'.join(found[0]['loc'])}: {found[0]['msg']}" if found else "invalid input"
        return problem(422, "invalid", first, errors=found)

    @app.exception_handler(HTTPException)
    def routing(request: Request, error: HTTPException) -> Response:
        code = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        detail = ROUTING.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        return problem(error.status_code, code, detail, headers)

    @app.exception_handler(ClientDisconnect)
    def cut_off(_: Request, error: ClientDisconnect) -> Response:  # nobody reads it, but the log should know
        return problem(400, "body_incomplete", "The connection ended before the body did.")

    app.exception_handler(OperationalError)(_database)
    app.exception_handler(PoolTimeout)(_database)


def _allowed(request: Request) -> list[str]:
    """Every method of this address; the router itself names those of the first route that it finds there."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.router.routes
        )
    ]


def _database(_: Request, error: Exception) -> Response:
    """A database that is busy, gone or full. SQLite counts mistakes in our own statements too; those are not this."""
    cause = getattr(error, "orig", None)
    number = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the rest says more, but not what to do
    if number == sqlite3.SQLITE_ERROR:
        raise error
    log.error("database unavailable", error=str(cause or error))
    if number == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", None) == POSTGRES_DISK_FULL:
        return problem(507, "storage_full", "The database's disk is full; free some space or add some, then try again.")
    return problem(503, "database_busy", "The database did not answer in time; try again.", {"Retry-After": "2"})
