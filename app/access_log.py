"""Every request under an id, which the answer carries and a job it starts inherits; counted, timed and logged."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import problems
from app.ids import new_id
from app.metrics import Meters

log = structlog.get_logger("roost.http")
CLIENT_GONE = 499  # what proxies note for a caller that did not wait for the answer


class AccessLog:
    """Plain ASGI: Starlette's BaseHTTPMiddleware would pass each request through a task and a queue of its own."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id)
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            response = problems.unforeseen(scope["method"], scope["path"], error)
            if answer.status:  # half an answer is out: only a cut connection still says that it is not whole
                raise
            await response(scope, receive, answer.send)
        finally:
            self._note(scope, answer)

    def _note(self, scope: Scope, answer: "_Answer") -> None:
        status, seconds = answer.status or CLIENT_GONE, answer.seconds()
        route = scope.get("route")
        operation = getattr(route, "operation_id", None) or getattr(route, "name", "unmatched")
        self.meters.requests.labels(operation, status).inc()
        self.meters.seconds.labels(operation).observe(seconds)
        log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))


class _Answer:
    """Watches an answer go out: its status, and the seconds until it began."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status: int | None = None
        self._send, self._header = send, (b"x-request-id", request_id.encode())
        self._started = time.perf_counter()
        self._seconds: float | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._seconds = message["status"], time.perf_counter() - self._started
            message = {**message, "headers": [*message.get("headers", ()), self._header]}
        await self._send(message)

    def seconds(self) -> float:
        return time.perf_counter() - self._started if self._seconds is None else self._seconds
