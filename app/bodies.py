"""How much of a body is taken. What a route takes whole is held in memory; one that streams sets the end itself."""

import math
from collections.abc import AsyncIterator

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db.caller import CALLER, NOBODY
from app.room import Room

MOST = 8 * 2**20  # the names of 10,000 images, the largest that any schema allows, are about 3 MB
MOST_OF_NOBODY = 16 * 1024  # without a key there is only the log-in
_LIMIT = "roost.body_limit"


class BodyLimit:
    """Refuses what passes the limit as soon as it is known: by the declared length, or by what has come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = scope[_LIMIT] = {"bytes": MOST_OF_NOBODY if CALLER.get() is NOBODY else MOST}
        taken = 0

        async def within() -> Message:
            nonlocal taken
            _check(limit["bytes"], declared(scope))
            message = await receive()
            taken += len(message.get("body", b""))
            _check(limit["bytes"], taken)
            return message

        await self.app(scope, within if scope["type"] == "http" else receive, send)


def _check(most: float, size: int) -> None:
    if size > most:  # no RoostError: while FastAPI reads a body, it takes all but this for one that is no JSON
        raise HTTPException(413, f"The body is larger than {most:,} bytes; send less at once.")


def declared(scope: Scope) -> int:
    """Bytes by Content-Length; 0 for a body in chunks."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


async def stream(request: Request, room: Room) -> AsyncIterator[bytes]:
    """The body piece by piece, for a route that keeps no more of it than it has room for."""
    request.scope[_LIMIT]["bytes"] = math.inf
    left = room.bytes
    if declared(request.scope) > left:
        raise room.refused
    async for chunk in request.stream():
        left -= len(chunk)
        if left < 0:
            raise room.refused
        yield chunk
