"""Every error as application/problem+json: those of the tree, of validation, of routing and of the database."""

import http
import json
import sqlite3
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from app.db.full import database_full
from app.errors import CHECKSUM_MISMATCH, RoostError

log = structlog.get_logger("roost.errors")
ROUTING = {
    400: "The body can't be read as what its Content-Type says.",
    404: "There is nothing at this address; GET /openapi.json lists what there is.",
    405: "This address does not take that method; GET /openapi.json lists those it takes.",
}
CODES = {413: "body_too_large"}  # app/bodies.py; all else is named by its status


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
    body = Problem(title=phrase(status), status=status, code=code, detail=detail, **more)
    return ProblemResponse(body.model_dump(exclude_none=True), status, headers=headers)


def phrase(status: int) -> str:
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else http.HTTPStatus(status).phrase


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the errors that a route answers."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": phrase(status), "content": content} for status in statuses}


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
        code = CODES.get(error.status_code, phrase(error.status_code).lower().replace(" ", "_"))
        detail = ROUTING.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        return problem(error.status_code, code, detail, headers)

    @app.exception_handler(ClientDisconnect)
    def cut_off(_: Request, error: ClientDisconnect) -> Response:  # seldom read, but the log should know
        return problem(400, "body_incomplete", "The body is not whole: it was cut, or nothing came for too long.")

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


def _database(_: Request, error: SQLAlchemyError) -> Response:
    return database_problem(error)


def database_problem(error: SQLAlchemyError) -> ProblemResponse:
    """A database that is busy, gone or full. SQLite counts mistakes in our own statements too; those are not this."""
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_ERROR:
        raise error
    log.error("database unavailable", error=str(cause or error))
    if database_full(error):
        return problem(507, "storage_full", "The database's disk is full; free some space or add some, then try again.")
    return problem(503, "database_busy", "The database did not answer in time; try again.", {"Retry-After": "2"})
