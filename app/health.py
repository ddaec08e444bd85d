"""/healthz (this process), /readyz (all it needs), /metrics (Prometheus)."""

from datetime import timedelta
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import now
from app.db.tables import Worker
from app.deps import ReadSession, Res
from app.errors import StorageFull, problem, responses
from app.ids import new_id
from app.metrics import Meters
from app.resources import Resources

WORKER_ALIVE = timedelta(seconds=30)
log = structlog.get_logger("roost.health")
router = APIRouter(tags=["operations"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": 'roost_jobs{state="queued"} 0.0\n'}}}
}


class Health(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: str


class Readiness(BaseModel):
    """Each part that a request may need."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"database": "ok", "storage": "ok", "broker": "ok", "worker": "ok"}}
    )

    database: str
    storage: str
    broker: str
    worker: str


@router.get("/healthz", operation_id="health")
def healthz() -> Health:
    """This process answers."""
    return Health(status="ok")


@router.get("/readyz", operation_id="readiness", response_model=Readiness, responses=responses(503))
def readyz(res: Res) -> Response:
    """Database, storage, broker and a live worker, each by name."""
    found = {
        "database": _database(res),
        "storage": _storage(res),
        "broker": res.queue.reachable(),
        "worker": _worker(res),
    }
    checks = {name: "ok" if good else "failing" for name, good in found.items()}
    if all(found.values()):
        return JSONResponse(checks)
    missing = ", ".join(name for name, good in found.items() if not good)
    return problem(503, "not_ready", f"Not ready: {missing}. The log says why.", {"Retry-After": "2"}, checks=checks)


@router.get("/metrics", operation_id="metrics", response_class=Response, responses={**_TEXT, **responses(503)})
def metrics(request: Request, session: ReadSession) -> Response:
    """Prometheus metrics: requests, jobs by state, images by status."""
    meters: Meters = request.app.state.meters
    return Response(meters.text(session), media_type=CONTENT_TYPE_LATEST)


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
    except (OSError, StorageFull) as error:
        log.warning("storage not writable", error=repr(error))
        return False
    return True


def _worker(res: Resources) -> bool:
    try:
        with res.database.reading() as session:
            alive = select(func.count()).where(Worker.seen_at > now(session) - WORKER_ALIVE)
            return session.execute(alive).scalar_one() > 0
    except SQLAlchemyError as error:
        log.warning("workers can't be looked up", error=repr(error))
        return False
