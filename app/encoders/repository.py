"""Queries on encoders."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Encoder
from app.errors import NotFound
from app.pagination import Paging, page
from models import registry


def register(session: Session) -> None:
    """Give every encoder of the registry a row, at start."""
    known = set(session.scalars(select(Encoder.name).where(Encoder.collection_id.is_(None))))
    for name in registry.names("encoders"):
        if name not in known:
            plugin = registry.load("encoders", name)
            session.add(
                Encoder(
                    name=name,
                    origin=plugin.origin,
                    base=plugin.base,
                    params={},
                    dim=plugin.dim,
                    created_at=now(session),
                )
            )


def get(session: Session, encoder_id: UUID) -> Encoder:
    if found := session.get(Encoder, encoder_id):
        return found
    raise NotFound(f"There is no encoder {encoder_id}; GET /v1/encoders lists them.", code="encoder_not_found")


def named(session: Session, id_or_name: str) -> Encoder:
    """By id, or by a built-in's or hub encoder's name."""
    try:
        return get(session, UUID(id_or_name))
    except ValueError:
        query = select(Encoder).where(Encoder.name == id_or_name, Encoder.collection_id.is_(None))
    if found := session.scalars(query).first():
        return found
    raise NotFound(f"There is no encoder {id_or_name!r}; GET /v1/encoders lists them.", code="encoder_not_found")


def listed(session: Session, paging: Paging) -> tuple[list[Encoder], str | None]:
    return page(session, select(Encoder), paging, Encoder.id, value=lambda row: [row.id])
