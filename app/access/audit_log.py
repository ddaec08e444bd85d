"""Each request that may change something leaves one record: who, what, when, and what came of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.caller import CALLER, Caller
from app.access.scopes import needed
from app.db.session import Database
from app.db.tables import AuditRecord
from app.text import printable

log = structlog.get_logger("roost.audit_log")
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
CLIENT_GONE = 499  # as in the log of requests: the caller did not wait for the answer
LONGEST_PATH = 500  # of an address that is none of ours, anybody may send any length


class AuditLog:
    """Plain ASGI, outside of whoever finds out who calls: refusals are recorded too.

    Written when the answer is out, so that nobody waits for it. An answer stays what it is when that fails.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self.app(scope, receive, answer.send)
        except Exception:
            answer.status = answer.status or 500
            raise
        finally:
            if record := _record(scope, answer):
                await run_in_threadpool(_keep, scope["app"].state.resources.database, record)


@dataclass
class _Answer:
    """Notes the status when it goes out, and who called: known only below, where the answer comes from."""

    out: Send
    status: int | None = None
    caller: Caller | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.caller = message["status"], CALLER.get()
        await self.out(message)


def record_command(session: Session, command: str, subject: str) -> None:
    """A command changed something: in its own transaction, all or nothing."""
    session.add(AuditRecord(at=datetime.now(UTC), action=command, path=printable(subject), status=0))


def _record(scope: Scope, answer: _Answer) -> AuditRecord | None:
    """None for what changes nothing: a search, and what strangers ask, who could fill the disk with their refusals."""
    route, status = _route(scope), answer.status or CLIENT_GONE
    needs = needed(scope["method"], getattr(route, "openapi_extra", None))
    if needs == "read" or (status == 401 and needs != "none") or (status == 429 and needs == "none"):
        return None
    known = answer.caller if answer.caller and answer.caller.owner_id.int else None  # nobody has the id 0
    return AuditRecord(
        at=datetime.now(UTC),
        owner_id=known.owner_id if known else None,
        key_id=known.key_id if known else None,
        action=getattr(route, "operation_id", None) or getattr(route, "name", None) or "unmatched",
        path=printable(scope["path"])[:LONGEST_PATH],
        status=status,
        request_id=scope.get("state", {}).get("request_id"),
        address=scope["client"][0] if scope.get("client") else None,
    )


def _route(scope: Scope) -> object | None:
    """Who was refused on the way did not come to a route; 405 comes from one of another method."""
    route: object | None = scope.get("route")
    if route is None or scope["method"] not in (getattr(route, "methods", None) or ()):
        every = _flat(scope["app"].router.routes)
        route = next((one for one in every if one.matches(scope)[0] is Match.FULL), None)
    return route


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps the routes of an included router together, behind one that has no name."""
    for one in routes:
        included = getattr(one, "original_router", None)
        yield from _flat(included.routes) if included else [one]


def _keep(database: Database, record: AuditRecord) -> None:
    about = {"action": record.action, "path": record.path, "status": record.status}
    try:
        with database.transaction() as session:
            session.add(record)
    except SQLAlchemyError as error:
        log.error("no audit record could be written", error=repr(error), **about)
