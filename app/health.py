"""/healthz (this process), /readyz (all it needs), /metrics (Prometheus)."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from app.access.scopes import OPEN
from app.deps import InstallationSession, Res
from app.metrics import Meters
from app.problems import problem, responses
from app.readiness import Readiness as Checks

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


# These two need no thread of the pool, which a database that hangs may have used up.
@router.get("/healthz", operation_id="health", openapi_extra=OPEN)
async def healthz() -> Health:
    """This process answers."""
    return Health(status="ok")


@router.get("/readyz", operation_id="readiness", response_model=Readiness, responses=responses(503), openapi_extra=OPEN)
async def readyz(request: Request) -> Response:
    """Database, storage, broker and a live worker for each queue, each by name."""
    state = request.app.state
    if not hasattr(state, "readiness"):
        state.readiness = Checks(state.resources)
    readiness: Checks = state.readiness
    found = await readiness.look()
    checks = {name: "ok" if good else "failing" for name, good in found.items()}
    if all(found.values()):
        return JSONResponse(checks)
    missing = ", ".join(name for name, good in found.items() if not good)
    return problem(503, "not_ready", f"Not ready: {missing}. The log says why.", {"Retry-After": "2"}, checks=checks)


@router.get("/metrics", operation_id="metrics", response_class=Response, responses={**_TEXT, **responses(503)})
def metrics(request: Request, session: InstallationSession, res: Res) -> Response:
    """Prometheus metrics: requests, queues, jobs, images, storage, workers."""
    meters: Meters = request.app.state.meters
    return Response(meters.text(session, res, request.app.state.totals), media_type=CONTENT_TYPE_LATEST)
