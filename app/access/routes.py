"""/v1/keys, /v1/session and /v1/me"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from app.access import keys, service
from app.access.gate import COOKIE, cookie
from app.access.schemas import KeyIn, KeyOut, LogInIn, MeOut, NewKeyOut
from app.access.scopes import ADMIN, OPEN, READ
from app.deps import PagingQuery, ReadSession, WriteSession
from app.pagination import Page
from app.problems import responses

router = APIRouter(prefix="/v1", tags=["access"])


@router.post(
    "/keys", status_code=201, operation_id="createKey", responses=responses(404, 409, 422, 503), openapi_extra=ADMIN
)
def create(body: KeyIn, session: WriteSession, response: Response) -> NewKeyOut:
    """Make a key; its text is in this answer and nowhere else.

    There is no Idempotency-Key, which would have to keep the answer: who has lost it revokes the key and makes another.
    """
    made = service.create(session, body)
    response.headers.update({"Location": f"/v1/keys/{made.id}", "Cache-Control": "no-store"})
    return made


@router.get("/keys", operation_id="listKeys", responses=responses(422, 503), openapi_extra=ADMIN)
def listed(session: ReadSession, paging: PagingQuery) -> Page[KeyOut]:
    """List the keys of all owners, newest first."""
    rows, cursor = keys.listed(session, paging)
    return Page(items=service.shown(session, rows), next_cursor=cursor)


@router.get("/keys/{key_id}", operation_id="getKey", responses=responses(404, 422, 503), openapi_extra=ADMIN)
def one(key_id: UUID, session: ReadSession) -> KeyOut:
    """One key, without its text."""
    return service.shown(session, [keys.get(session, key_id)])[0]


@router.delete(
    "/keys/{key_id}", status_code=204, operation_id="revokeKey", responses=responses(404, 422, 503), openapi_extra=ADMIN
)
def revoke(key_id: UUID, session: WriteSession) -> None:
    """Revoke a key: from the next request on it does not hold, nor does any log-in made with it."""
    service.revoke(session, key_id)


@router.post("/session", operation_id="logIn", responses=responses(401, 422, 503), openapi_extra=OPEN)
def log_in(body: LogInIn, session: WriteSession, request: Request, response: Response) -> MeOut:
    """Log a browser in with a key: a cookie that holds thirty days, and no longer than the key."""
    token, me = service.log_in(session, body.key)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(keys.LOGGED_IN_FOR.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return me


@router.delete("/session", status_code=204, operation_id="logOut", responses=responses(503), openapi_extra=READ)
def log_out(session: WriteSession, request: Request, response: Response) -> None:
    """End the browser's log-in; a key that was sent as such goes on holding."""
    if token := cookie(request.headers):
        keys.log_out(session, token)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")


@router.get("/me", operation_id="getMe", responses=responses(503))
def me(session: ReadSession) -> MeOut:
    """Who calls: owner, scope and name of the key."""
    return service.me(session)
