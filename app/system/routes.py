"""/v1/system"""

from fastapi import APIRouter, Request

from app.deps import InstallationSession, Res
from app.problems import responses
from app.system import service
from app.system.schemas import SystemOut

router = APIRouter(prefix="/v1/system", tags=["operations"])


@router.get("", operation_id="getSystem", responses=responses(503))
def one(request: Request, session: InstallationSession, res: Res) -> SystemOut:
    """Version, device, database, broker, storage, workers and limits of this Roost."""
    return service.shown(session, res, request.app.state.totals)
