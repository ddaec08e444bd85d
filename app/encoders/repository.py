"""Queries on encoders."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Encoder
from app.errors import NotFound
from app.jobs import repository as jobs
from app.pagination import Paging, page
from models import registry


def register(session: Session) -> None:
    """Give every encoder of the registry a row, at start."""
    known = set(session.scalars(select(Encoder.name).where(Encoder.collection_id.is_(None))))
    for name in registry.names("encoders"):
        if name not in known:
            plugin = registry.load("encoders", name)
            row = Encoder(
                name=name, origin=plugin.origin, base=plugin.base, params={}, dim=plugin.dim, created_at=now(session)
            )
            with suppress(IntegrityError), session.begin_nested():  # another process that starts was quicker
                session.add(row)


def get(session: Session, encoder_id: UUID, *, lock: bool = False) -> Encoder:
    if found := session.get(Encoder, encoder_id, with_for_update=lock or None):
        return found
    raise NotFound(f"There is no encoder {encoder_id}; GET /v1/encoders lists them.", code="encoder_not_found")


def named(session: Session, id_or_name: str, collection_id: UUID) -> Encoder:
    """By id or name, one that came with Roost or was fine-tuned on this collection."""
    try:
        wanted = Encoder.id == UUID(id_or_name)
    except ValueError:
        wanted = Encoder.name == id_or_name
    usable = or_(Encoder.collection_id.is_(None), Encoder.collection_id == collection_id)
    if found := session.scalars(select(Encoder).where(wanted, usable)).first():
        return found
    raise NotFound(f"There is no encoder {id_or_name!r}; GET /v1/encoders lists them.", code="encoder_not_found")


def names(session: Session, collection_id: UUID) -> set[str]:
    """Names that no new encoder of the collection may take: of encoders, and of those in the making."""
    # Jobs first: one that ends in between has then left its encoder to be found.
    making = {job.params["name"] for job in jobs.unfinished(session, collection_id) if job.kind == "finetune"}
    usable = or_(Encoder.collection_id.is_(None), Encoder.collection_id == collection_id)
    return making | set(session.scalars(select(Encoder.name).where(usable)))


def listed(session: Session, paging: Paging) -> tuple[list[Encoder], str | None]:
    return page(session, select(Encoder), paging, Encoder.id, value=lambda row: [row.id])
