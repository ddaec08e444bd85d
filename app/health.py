"""/healthz (this process), /readyz (all it needs), /metrics (Prometheus)."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import now
from app.db.tables import Image, Job, Worker
from app.deps import ReadSession, Res
from app.ids import new_id
from app.resources import Resources

WORKER_ALIVE = timedelta(seconds=30)
log = structlog.get_logger("roost.http")
router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="health")
def healthz() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="readiness", responses={503: {"description": "Something is missing"}})
def readyz(res: Res) -> JSONResponse:
    """Database, storage, broker and a live worker, each by name."""
    checks = {
        "database": _database(res),
        "storage": _storage(res),
        "broker": res.queue.reachable(),
        "worker": _worker(res),
    }
    return JSONResponse(
        {name: "ok" if good else "failing" for name, good in checks.items()}, 200 if all(checks.values()) else 503
    )


@router.get("/metrics", operation_id="metrics", response_class=Response)
def metrics(request: Request, session: ReadSession) -> Response:
    """Prometheus metrics: requests, jobs by state, images by status."""
    meters: Meters = request.app.state.meters
    for state, count in session.execute(select(Job.state, func.count()).group_by(Job.state)):
        meters.jobs.labels(state).set(count)
    for status, count in session.execute(select(Image.status, func.count()).group_by(Image.status)):
        meters.images.labels(status).set(count)
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


class Meters:
    """This application's own metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("roost_requests", "Requests.", ("operation", "status"), registry=self.registry)
        self.seconds = Histogram("roost_request_seconds", "Time to answer.", ("operation",), registry=self.registry)
        self.jobs = Gauge("roost_jobs", "Jobs in the ledger.", ("state",), registry=self.registry)
        self.images = Gauge("roost_images", "Images.", ("status",), registry=self.registry)


def observe(app: FastAPI) -> None:
    """Count, time and log each request under an id, which the answer carries and a job it starts inherits."""

    @app.middleware("http")
    async def observed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = str(new_id())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.state.request_id)
        started = time.perf_counter()
        response = await call_next(request)
        seconds = time.perf_counter() - started
        route = getattr(request.scope.get("route"), "name", "unmatched")
        meters: Meters = request.app.state.meters
        meters.requests.labels(route, response.status_code).inc()
        meters.seconds.labels(route).observe(seconds)
        log.info(
            "request",
            method=request.method,
            path=request.url.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        response.headers["X-Request-Id"] = request.state.request_id
        return response


def _database(res: Resources) -> bool:
    try:
        with res.database.reading() as session:
            return session.scalar(select(1)) == 1
    except SQLAlchemyError as error:
        log.warning("database not reachable", error=repr(error))
        return False


def _storage(res: Resources) -> bool:
    probe = res.settings.scratch / f"probe-{new_id()}"
    try:
        probe.write_bytes(b"")
        key = f"probes/{probe.name}"
        res.storage.put([(probe, key)])
        res.storage.delete(key)
    except OSError as error:
        log.warning("storage not writable", error=repr(error))
        return False
    return True


def _worker(res: Resources) -> bool:
    try:
        with res.database.reading() as session:
            alive = select(func.count()).where(Worker.seen_at > now(session) - WORKER_ALIVE)
            return session.execute(alive).scalar_one() > 0
    except SQLAlchemyError:
        return False
