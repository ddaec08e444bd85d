"""Queries on owners."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import Owner
from app.errors import NotFound
from app.pagination import Paging, page


def get(session: Session, owner_id: UUID, *, lock: bool = False) -> Owner:
    if found := session.get(Owner, owner_id, with_for_update=lock or None):
        return found
    raise NotFound(f"There is no owner {owner_id}; GET /v1/owners lists them.", code="owner_not_found")


def named(session: Session, name: str) -> Owner:
    query = select(Owner).where(Owner.name == name).with_for_update()
    if found := session.scalars(query).first():
        return found
    raise NotFound(f"There is no owner {name!r}; roost owner list names them.", code="owner_not_found")


def listed(session: Session, paging: Paging) -> tuple[list[Owner], str | None]:
    return page(session, select(Owner), paging, Owner.id, value=lambda row: [row.id])


def every(session: Session) -> list[Owner]:
    return list(session.scalars(select(Owner).order_by(Owner.name)))
