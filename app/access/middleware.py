"""Who calls, before anything of a request is read: then nobody without a key can send a body, however large.

A long body asks again while it comes, and a long answer while it is sent, so that a second after its key was revoked
nothing more is taken, and nothing leaves.
"""

import time

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.gate import Gate, shows_key
from app.access.origin import check_host, check_origin, named
from app.db.caller import ANYBODY, CALLER, NOBODY, Caller
from app.errors import RoostError, Unauthorized
from app.problems import database_problem, problem
from app.settings import Settings

# What holds no data: the process and its parts, the API's text, the page and its files. All else needs a key.
OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/oauth2-redirect"})
OPEN |= {"/", "/jobs", "/settings", "/favicon.ico"}
OPEN_BELOW = ("/static-offline-docs/", "/ui/", "/collections/")
LOG_IN = ("POST", "/v1/session")
ASKED_EVERY_S = 0.5  # while an answer is sent: with what the question takes, well within the second that is promised

log = structlog.get_logger("roost.access")


class _KeyEnded(Exception):
    """Unlike a RoostError it cannot be told: the answer has begun."""


class Access:
    """Plain ASGI, so that threads, streamed answers and events of the request know its caller too."""

    def __init__(self, app: ASGIApp, settings: Settings, hosts: frozenset[str] | None = None) -> None:
        """`hosts`: the names that are answered to while there are no keys; None for any."""
        allowed = named(settings.allowed_hosts)
        self.app, self.allowed, self.hosts = app, allowed, None if hosts is None else hosts | allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._admitted(scope)
        except RoostError as error:
            await problem(error.status, error.code, error.detail, error.headers)(scope, receive, send)
            return
        except (OperationalError, PoolTimeout) as error:
            await database_problem(error)(scope, receive, send)
            return
        before = CALLER.set(caller)
        try:
            await self.app(scope, *_while_it_holds(scope, caller, receive, send))
        except* _KeyEnded:  # the server cuts the connection: what was sent must not look whole
            log.info("an answer was cut as its key no longer holds", path=scope["path"])
        finally:
            CALLER.reset(before)

    async def _admitted(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        check_origin(scope["method"], headers, self.allowed)
        if needs_no_key(scope["method"], scope["path"]):  # and no database: /healthz answers without one
            return NOBODY
        gate: Gate | None = getattr(scope["app"].state, "gate", None)
        caller = gate.known(headers) or await run_in_threadpool(gate.caller, headers) if gate else None
        if caller is None:
            raise _refusal(headers)
        if caller is ANYBODY and self.hosts is not None:
            check_host(headers, self.hosts)
        return caller


def _while_it_holds(scope: Scope, caller: Caller, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Receives and sends on as long as the caller's key or log-in holds. After that a body is as if cut off on its way,
    and an answer raises _KeyEnded.

    What is sent in one piece was decided when it was asked for.
    """
    if caller in (ANYBODY, NOBODY):
        return receive, send
    gate: Gate = scope["app"].state.gate
    asked_at = time.monotonic()

    async def holds() -> bool:
        nonlocal asked_at
        if time.monotonic() - asked_at < ASKED_EVERY_S:
            return True
        found = await run_in_threadpool(gate.caller, Headers(scope=scope))
        asked_at = time.monotonic()
        return found == caller

    async def receiving() -> Message:
        message = await receive()
        return message if message["type"] != "http.request" or await holds() else {"type": "http.disconnect"}

    async def sending(message: Message) -> None:
        if message.get("more_body") and not await holds():
            raise _KeyEnded
        await send(message)

    return receiving, sending


def needs_no_key(method: str, path: str) -> bool:
    return (method, path) == LOG_IN or (method in ("GET", "HEAD") and (path in OPEN or path.startswith(OPEN_BELOW)))


def _refusal(headers: Headers) -> Unauthorized:
    if shows_key(headers):
        detail = "This key or log-in does not hold: it is unknown, revoked or expired. See roost key list."
        return Unauthorized(detail, code="key_invalid", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    detail = "This needs a key: send Authorization: Bearer KEY. Keys are made with roost key create NAME."
    return Unauthorized(detail, headers={"WWW-Authenticate": "Bearer"})
