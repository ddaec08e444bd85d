"""Keys and log-ins as the API gives them."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import keys
from app.access.schemas import KeyIn, KeyOut, MeOut, NewKeyOut
from app.db.caller import ANYBODY, CALLER, Caller
from app.db.session import now
from app.db.tables import ApiKey, Owner
from app.errors import Conflict, Unauthorized


def create(session: Session, body: KeyIn) -> NewKeyOut:
    """Conflict (first_key) while there is none: who reaches an open service must not lock out whose it is."""
    caller = _caller()
    if caller == ANYBODY:
        raise Conflict(
            "The first key is made on the machine itself: roost key create NAME --scope admin.", code="first_key"
        )
    owner = keys.owner(session, body.owner) if body.owner else session.get_one(Owner, caller.owner_id)
    lifetime = timedelta(days=body.expires_days) if body.expires_days else None
    made = keys.make(session, body.name, body.scope, owner, lifetime)
    return NewKeyOut(**shown(session, [made.row])[0].model_dump(), key=made.text)


def shown(session: Session, rows: list[ApiKey]) -> list[KeyOut]:
    names, moment = keys.owner_names(session, {row.owner_id for row in rows}), now(session)
    return [
        KeyOut.model_validate(
            {
                "id": row.id,
                "name": row.name,
                "owner": names[row.owner_id],
                "scope": row.scope,
                "state": keys.state(row, moment),
                "created_at": row.created_at,
                "expires_at": row.expires_at,
            }
        )
        for row in rows
    ]


def revoke(session: Session, key_id: UUID) -> None:
    keys.revoke(session, keys.get(session, key_id))


def log_in(session: Session, text: str) -> tuple[str, MeOut]:
    """The browser's token, and who that is."""
    row = keys.valid(session, text)
    if row is None:
        raise Unauthorized(
            "This is no key that holds: it is mistyped, revoked or expired. See roost key list.", code="key_invalid"
        )
    return keys.log_in(session, row), me(session, Caller(row.owner_id, row.scope, row.id))


def me(session: Session, caller: Caller | None = None) -> MeOut:
    caller = caller or _caller()
    owner = keys.owner_names(session, {caller.owner_id})[caller.owner_id]
    key = keys.get(session, caller.key_id).name if caller.key_id else None
    return MeOut(owner=owner, scope=caller.scope, key=key, open=caller == ANYBODY)


def _caller() -> Caller:
    return CALLER.get() or ANYBODY
