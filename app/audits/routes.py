"""/v1/clusterings/{id}/clusters/{n}/audits and /v1/audits"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Response

from app.audits import repository, service
from app.audits.schemas import AuditIn, AuditOut, AuditPatch
from app.clusterings import repository as clusterings
from app.deps import PagingQuery, ReadSession, WriteSession
from app.idempotency import OnceKey
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["audits"])
Number = Annotated[int, Path(ge=0, description="The cluster's id in its clustering.")]
IfMatch = Annotated[str | None, Header(description="The ETag of the state you saw.")]


@router.post(
    "/clusterings/{clustering_id}/clusters/{n}/audits",
    status_code=201,
    response_model=AuditOut,
    operation_id="createAudit",
    responses=responses(404, 409, 422, 503),
)
def create(clustering_id: UUID, n: Number, body: AuditIn, session: WriteSession, once: OnceKey) -> Response:
    """Draw random images of a cluster, to be answered: does it belong?"""

    def work() -> tuple[AuditOut, str]:
        made = service.draw(session, clustering_id, n, body.images)
        return service.shown(session, [made])[0], f"/v1/audits/{made.id}"

    return once.answer(session, body.model_dump_json(), 201, work)


@router.get("/clusterings/{clustering_id}/audits", operation_id="listAudits", responses=responses(404, 422, 503))
def listed(clustering_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[AuditOut]:
    """A clustering's audits, newest first."""
    clusterings.get(session, clustering_id)
    rows, cursor = repository.listed(session, clustering_id, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/audits/{audit_id}", operation_id="getAudit", responses=responses(404, 422, 503))
def one(audit_id: UUID, session: ReadSession, response: Response) -> AuditOut:
    """One audit with its answers and the purity they show."""
    found = repository.get(session, audit_id)
    response.headers["ETag"] = service.etag(found)
    return service.shown(session, [found])[0]


@router.patch("/audits/{audit_id}", operation_id="answerAudit", responses=responses(404, 412, 422, 428, 503))
def answer(
    audit_id: UUID, body: AuditPatch, session: WriteSession, response: Response, if_match: IfMatch = None
) -> AuditOut:
    """Answer some of an audit's images; needs If-Match."""
    changed = service.answer(session, audit_id, body, if_match)
    response.headers["ETag"] = service.etag(changed)
    return service.shown(session, [changed])[0]
