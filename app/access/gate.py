"""Who is it: the caller of a request, by its key or log-in."""

import time
from http.cookies import CookieError, SimpleCookie

from sqlalchemy.orm import Session
from starlette.datastructures import Headers

from app.access import keys
from app.db.caller import ANYBODY, Caller
from app.db.session import Database
from app.db.tables import ApiKey

COOKIE = "roost_session"
OPEN_FOR_S = 1.0  # how long a service without keys may go on before it sees that it has one
_BEARER = "bearer "


class Gate:
    """What one process knows of keys: that there are some, once it has seen one. No key is kept."""

    def __init__(self, database: Database, open_for_s: float = OPEN_FOR_S) -> None:
        self.database, self.open_for_s = database, open_for_s
        self._closed = False
        self._looked_at = float("-inf")

    def known(self, headers: Headers) -> Caller | None:
        """Who it is, if that can be said without asking the database."""
        anybody = not self._closed and time.monotonic() - self._looked_at < self.open_for_s and not shows_key(headers)
        return ANYBODY if anybody else None

    def caller(self, headers: Headers) -> Caller | None:
        """ANYBODY while there are no keys; None for who has none that holds. Asks the database each time."""
        with self.database.reading() as session:
            if self._open(session):
                return ANYBODY
            key = _shown(headers)
            token = None if key else cookie(headers)
            row = keys.valid(session, key) if key else keys.logged_in(session, token) if token else None
            return _caller(row) if row else None

    def _open(self, session: Session) -> bool:
        if not self._closed:
            began = time.monotonic()
            self._closed = keys.exist(session)
            self._looked_at = began
        return not self._closed


def cookie(headers: Headers) -> str | None:
    """The log-in's token. A cookie that cannot be read is none."""
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def shows_key(headers: Headers) -> bool:
    return _shown(headers) is not None or cookie(headers) is not None


def _shown(headers: Headers) -> str | None:
    """The key of `Authorization: Bearer KEY`. Other schemes are of a proxy in front."""
    given = headers.get("authorization", "")
    return given[len(_BEARER) :].strip() or None if given.lower().startswith(_BEARER) else None


def _caller(row: ApiKey) -> Caller:
    return Caller(row.owner_id, row.scope, row.id)
