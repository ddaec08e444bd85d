"""Keys: made, looked up, listed and revoked. Of a key's text only the SHA-256 is kept: 256 random bits need no salt."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.db.caller import Scope
from app.db.session import now
from app.db.tables import ApiKey, LogIn, Owner
from app.errors import Conflict, NotFound
from app.pagination import Paging, page

PREFIX = "roost_"
LOGGED_IN_FOR = timedelta(days=30)


class Made(NamedTuple):
    """A new key. `text` is shown once and stands nowhere."""

    row: ApiKey
    text: str


def secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def exist(session: Session) -> bool:
    """Whether there is any key, also one that holds no longer: the service that had one never opens again."""
    return session.execute(select(ApiKey.id).limit(1)).first() is not None


def make(session: Session, name: str, scope: Scope, owner: Owner, lifetime: timedelta | None) -> Made:
    text, moment = secret(), now(session)
    row = ApiKey(
        owner_id=owner.id,
        name=name,
        scope=scope,
        sha256=digest(text),
        created_at=moment,
        expires_at=moment + lifetime if lifetime else None,
    )
    session.add(row)
    session.flush()
    return Made(row, text)


def valid(session: Session, text: str) -> ApiKey | None:
    """The key of this text, if it holds now."""
    return session.scalars(_holding(session).where(ApiKey.sha256 == digest(text))).first()


def logged_in(session: Session, token: str) -> ApiKey | None:
    """The key that a browser showed when it got this token, if both hold now."""
    found = _holding(session).join(LogIn, LogIn.key_id == ApiKey.id)
    return session.scalars(found.where(LogIn.sha256 == digest(token), LogIn.expires_at > now(session))).first()


def log_in(session: Session, key: ApiKey) -> str:
    """A token for a browser, which ends with the key or after thirty days; those that ended go."""
    token, moment = secrets.token_urlsafe(32), now(session)
    for ended in session.scalars(select(LogIn).where(LogIn.expires_at <= moment)):
        session.delete(ended)
    session.add(
        LogIn(sha256=digest(token), key_id=key.id, created_at=moment, expires_at=moment + LOGGED_IN_FOR),
    )
    session.flush()
    return token


def log_out(session: Session, token: str) -> None:
    if row := session.get(LogIn, digest(token)):
        session.delete(row)


def listed(session: Session, paging: Paging) -> tuple[list[ApiKey], str | None]:
    return page(session, select(ApiKey), paging, ApiKey.id, value=lambda row: [row.id], descending=True)


def every(session: Session) -> list[ApiKey]:
    return list(session.scalars(select(ApiKey).order_by(ApiKey.id)))


def get(session: Session, key_id: UUID) -> ApiKey:
    if found := session.get(ApiKey, key_id):
        return found
    raise NotFound(f"There is no key {key_id}; GET /v1/keys lists them.", code="key_not_found")


def named(session: Session, name_or_id: str) -> ApiKey:
    """By id, or by a name that one key alone has among those not revoked."""
    try:
        return get(session, UUID(name_or_id))
    except ValueError:
        wanted: ColumnElement[bool] = ApiKey.name == name_or_id
    found = session.scalars(select(ApiKey).where(wanted, ApiKey.revoked_at.is_(None))).all()
    if not found:
        raise NotFound(f"There is no key {name_or_id!r} that is not revoked; see roost key list.", code="key_not_found")
    if len(found) > 1:
        raise Conflict(
            f"{len(found)} keys are named {name_or_id!r}; give an id of roost key list.", code="key_ambiguous"
        )
    return found[0]


def revoke(session: Session, key: ApiKey) -> None:
    """From the next request on. The row stays, to say that there was one."""
    key.revoked_at = key.revoked_at or now(session)


def owner(session: Session, name: str, *, make: bool = False) -> Owner:
    """By name; NotFound (owner_not_found), or a new one with `make`."""
    if found := session.scalars(select(Owner).where(Owner.name == name)).first():
        return found
    if not make:
        detail = f"There is no owner {name!r}; make one with roost key create NAME --owner {name}."
        raise NotFound(detail, code="owner_not_found")
    made = Owner(name=name, created_at=now(session))
    session.add(made)
    session.flush()
    return made


def owner_names(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(ids)))
    return {owner_id: name for owner_id, name in rows}


def state(key: ApiKey, moment: datetime) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= moment else "valid"


def _holding(session: Session) -> Select[ApiKey]:
    ends = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now(session))
    return select(ApiKey).where(ApiKey.revoked_at.is_(None), ends)
