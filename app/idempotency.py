"""Idempotency-Key: a POST that is sent again with the same key gets the first answer again, and does nothing."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.caller import confined_to
from app.db.session import now
from app.db.tables import IdempotencyKey
from app.errors import Conflict, Invalid
from app.text import Sought


class Once:
    """The key of this request, if it has one."""

    def __init__(self, key: str | None, route: str) -> None:
        self.key, self.route = key, route
        self.repeated = False  # whether the answer is one given before

    def seen(self, session: Session, fingerprint: str) -> JSONResponse | None:
        """The answer given before. The same key with other content is an error, not a new request."""
        if not self.key or not (row := session.get(IdempotencyKey, (self.key, self.route))):
            return None
        if row.fingerprint != _digest(fingerprint):
            raise Invalid(
                "This Idempotency-Key was used with other content; use a new one.", code="idempotency_mismatch"
            )
        self.repeated = True
        return _answer(row.status, row.body, row.location)

    def answer(
        self, session: Session, fingerprint: str, status: int, work: Callable[[], tuple[BaseModel, str | None]]
    ) -> JSONResponse:
        """Do the work and remember its answer in the same transaction, or give the answer remembered."""
        if before := self.seen(session, fingerprint):
            return before
        body, location = work()
        plain = body.model_dump(mode="json")
        if self.key:
            session.add(
                IdempotencyKey(
                    key=self.key,
                    route=self.route,
                    fingerprint=_digest(fingerprint),
                    status=status,
                    location=location,
                    body=plain,
                    created_at=now(session),
                )
            )
            try:
                session.flush()
            except IntegrityError as error:
                raise Conflict(
                    "A request with this Idempotency-Key is under way; wait for its answer.",
                    code="idempotency_in_progress",
                    headers={"Retry-After": "1"},
                ) from error
        return _answer(status, plain, location)


def _answer(status: int, body: dict[str, object], location: str | None) -> JSONResponse:
    headers = {"Location": location} if location else {}
    return JSONResponse(body, status, headers=headers | ({"Retry-After": "1"} if status == 202 else {}))


def _digest(fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode("utf-8", "surrogatepass")).hexdigest()


def _once(
    request: Request,
    key: Annotated[Sought | None, Header(alias="Idempotency-Key", min_length=1)] = None,
) -> Once:
    owner = confined_to()  # others may use the same key
    return Once(key, f"{f'{owner} ' if owner else ''}{request.method} {request.url.path}")


OnceKey = Annotated[Once, Depends(_once)]
