"""The tree of errors. Each class carries its HTTP status and its stable code; one handler turns all into problem+json.

RoostError
├── NotFound               404  collection_not_found, image_not_found, job_not_found, ...
├── Invalid                422  what the caller sent can't be used
├── TooLarge               413  file_too_large, archive_limit
├── UnsupportedType        415  image_type_unsupported, content_type_unsupported
├── Conflict               409  not now: report_not_ready, not_embedded, ...
├── PreconditionRequired   428  precondition_required
├── PreconditionFailed     412  stale
├── StorageFull            507  storage_full
└── Unavailable            503  database_busy, encoder_unavailable
"""

import http
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

log = structlog.get_logger("roost.errors")


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


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    body = Problem(title=http.HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more)
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type="application/problem+json"
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the errors that a route answers."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": http.HTTPStatus(status).phrase, "content": content} for status in statuses}


def document(app: FastAPI) -> None:
    """Add the one error schema, which `responses` refers to, to the OpenAPI text."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        text = original()
        schema = Problem.model_json_schema()
        text.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schema
        return text

    app.openapi = openapi  # type: ignore[method-assign]


def install(app: FastAPI) -> None:
    """Answer every error of the tree, of validation, of routing and every unforeseen one as problem+json."""
    document(app)

    @app.exception_handler(RoostError)
    def known(_: Request, error: RoostError) -> JSONResponse:
        return problem(error.status, error.code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        found = [{"loc": [str(part) for part in e["loc"]], "msg": e["msg"]} for e in error.errors()]
        first = f"{'.'.join(found[0]['loc'])}: {found[0]['msg']}" if found else "invalid input"
        return problem(422, "invalid", first, errors=found)

    @app.exception_handler(HTTPException)
    def routing(_: Request, error: HTTPException) -> JSONResponse:
        code = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return problem(error.status_code, code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(OperationalError)
    def database(_: Request, error: OperationalError) -> JSONResponse:
        log.error("database unavailable", error=str(error.orig))
        return problem(503, "database_busy", "The database did not answer in time; try again.", {"Retry-After": "2"})

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("unforeseen error", method=request.method, path=request.url.path, exc_info=error)
        return problem(500, "internal", "Something went wrong on our side; the service's log has the details.")
