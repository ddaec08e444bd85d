"""/v1/clusterings/{id}/edits, undo, redo and diff"""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from app.clusterings import repository as clusterings
from app.clusterings import service as clusterings_service
from app.corrections import diff, repository, service
from app.corrections.schemas import DiffOut, EditedOut, EditIn, EditOut
from app.deps import PagingQuery, ReadSession, Res, WriteSession
from app.idempotency import OnceKey
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1/clusterings/{clustering_id}", tags=["corrections"])
IfMatch = Annotated[str | None, Header(description='The ETag of the clustering that you saw, for example "3".')]


@router.post(
    "/edits",
    status_code=201,
    response_model=EditedOut,
    operation_id="createEdit",
    responses=responses(404, 409, 412, 422, 428, 503),
)
def create(clustering_id: UUID, body: EditIn, res: Res, once: OnceKey, if_match: IfMatch = None) -> Response:
    """Correct a clustering: rename, merge, split, move, pin, unpin or exclude; needs If-Match."""
    sent = body.model_dump_json()
    with res.database.reading() as session:
        if before := once.seen(session, sent):
            return _tagged(before)
        proposal = service.prepare(session, res.storage, clustering_id, body.root, if_match)

    with res.database.transaction() as session:

        def work() -> tuple[EditedOut, str]:
            made = service.edit(session, res.storage, clustering_id, body.root, if_match, proposal)
            return made, f"/v1/clusterings/{clustering_id}/edits/{made.id}"

        return _tagged(once.answer(session, sent, 201, work))


@router.get("/edits", operation_id="listEdits", responses=responses(404, 422, 503))
def listed(clustering_id: UUID, session: ReadSession, paging: PagingQuery) -> Page[EditOut]:
    """The corrections of a clustering, newest first."""
    clusterings.get(session, clustering_id)
    rows, cursor = repository.history(session, clustering_id, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/edits/{edit_id}", operation_id="getEdit", responses=responses(404, 422, 503))
def one(clustering_id: UUID, edit_id: UUID, session: ReadSession) -> EditOut:
    """One correction."""
    clusterings.get(session, clustering_id)
    return service.shown(session, [repository.edit(session, clustering_id, edit_id)])[0]


@router.post("/undo", operation_id="undoEdit", responses=responses(404, 409, 412, 422, 428, 503))
def undo(
    clustering_id: UUID, session: WriteSession, res: Res, response: Response, if_match: IfMatch = None
) -> EditedOut:
    """Undo the last correction; needs If-Match."""
    undone = service.undo(session, res.storage, clustering_id, if_match)
    response.headers["ETag"] = clusterings_service.etag(undone.clustering_revision)
    return undone


@router.post("/redo", operation_id="redoEdit", responses=responses(404, 409, 412, 422, 428, 503))
def redo(
    clustering_id: UUID, session: WriteSession, res: Res, response: Response, if_match: IfMatch = None
) -> EditedOut:
    """Redo the correction that was undone last; needs If-Match."""
    done = service.redo(session, res.storage, clustering_id, if_match)
    response.headers["ETag"] = clusterings_service.etag(done.clustering_revision)
    return done


@router.get("/diff/{other_id}", operation_id="compareClusterings", responses=responses(404, 422, 503))
def compared(clustering_id: UUID, other_id: UUID, session: ReadSession, paging: PagingQuery) -> DiffOut:
    """Two clusterings of a collection beside each other: how alike they are, and which images changed."""
    return diff.compared(session, clusterings.get(session, clustering_id), clusterings.get(session, other_id), paging)


def _tagged(answer: JSONResponse) -> JSONResponse:
    """The answer with the ETag that it tells of, also when it is given again."""
    answer.headers["ETag"] = clusterings_service.etag(json.loads(bytes(answer.body))["clustering_revision"])
    return answer
