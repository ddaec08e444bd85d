"""What a key may do: read, write, admin, each with what comes before it.

A route that says nothing wants `read` for GET, HEAD and OPTIONS, else `write`. One that is otherwise says so in its
`openapi_extra`: READ, ADMIN, or OPEN for those that need no key. So it stands in the OpenAPI text, as `x-scope`.
"""

from typing import Any

from fastapi import Depends, Request

from app.db.caller import CALLER
from app.errors import Forbidden

NAME = "x-scope"
OPEN, READ, ADMIN = ({NAME: scope} for scope in ("none", "read", "admin"))
LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}


def needed(method: str, extra: dict[str, Any] | None) -> str:
    """The scope that an operation needs."""
    return str((extra or {}).get(NAME) or ("read" if method.upper() in ("GET", "HEAD", "OPTIONS") else "write"))


def _check(request: Request) -> None:
    caller = CALLER.get()
    scope = needed(request.method, getattr(request.scope.get("route"), "openapi_extra", None))
    if caller and LEVELS[caller.scope] < LEVELS[scope]:
        raise Forbidden(
            f"This needs a key of scope {scope}, and yours has the scope {caller.scope}; "
            f"make one with roost key create NAME --scope {scope}.",
            code="scope_too_small",
        )


SCOPED = Depends(_check)
