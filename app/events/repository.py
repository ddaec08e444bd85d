"""Images in the order in which events are cut from them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from app.db.tables import Image
from app.images.repository import PARAMETERS

# What stands before the last slash: the rightmost characters go as long as they are not a slash. Both databases can.
FOLDER: ColumnElement[str] = func.rtrim(Image.name, func.replace(Image.name, "/", ""))
_ORDER = (Image.camera, FOLDER, Image.taken_at, Image.id)
Query = Select[UUID, str, str | None, datetime | None]
_COLUMNS = (Image.id, Image.name, Image.camera, Image.taken_at)


class Frame(NamedTuple):
    """An image with what places it in an event."""

    image_id: UUID
    name: str
    camera: str | None
    taken_at: datetime | None

    @property
    def folder(self) -> str:
        return self.name[: self.name.rfind("/") + 1]

    @property
    def placed(self) -> bool:
        """Whether it can belong to others: camera and time are known."""
        return self.camera is not None and self.taken_at is not None


def frame(session: Session, collection_id: UUID, image_id: UUID) -> Frame | None:
    row = session.execute(select(*_COLUMNS).where(Image.collection_id == collection_id, Image.id == image_id)).first()
    return Frame(*row) if row else None


def frames(session: Session, collection_id: UUID, start: Frame | None, inclusive: bool) -> Iterator[Frame]:
    """Ready images from `start` on, in constant memory: first the placed ones, camera by camera, folder by folder and
    in the order they were taken; then the others in the order they came."""
    ready = select(*_COLUMNS).where(Image.collection_id == collection_id, Image.status == "ready")
    known = Image.camera.is_not(None) & Image.taken_at.is_not(None)
    if start is None or start.placed:
        yield from _read(session, _placed_from(ready.where(known), start, inclusive).order_by(*_ORDER))
    rest = ready.where(or_(Image.camera.is_(None), Image.taken_at.is_(None)))
    if start is not None and not start.placed:
        rest = rest.where(Image.id >= start.image_id if inclusive else Image.id > start.image_id)
    yield from _read(session, rest.order_by(Image.id))


def _placed_from(query: Query, start: Frame | None, inclusive: bool) -> Query:
    if start is None:
        return query
    values = (start.camera, start.folder, start.taken_at, start.image_id)
    kinds = (Image.camera.type, Image.name.type, Image.taken_at.type, Image.id.type)
    here = tuple_(*(literal(value, kind) for value, kind in zip(values, kinds, strict=True)))
    return query.where(tuple_(*_ORDER) >= here if inclusive else tuple_(*_ORDER) > here)


def _read(session: Session, query: Query) -> Iterator[Frame]:
    for row in session.execute(query.execution_options(yield_per=500)):
        yield Frame(*row)


def of_images(session: Session, ids: Sequence[UUID]) -> dict[UUID, Frame]:
    """What places these images, of those that still exist."""
    found: dict[UUID, Frame] = {}
    for start in range(0, len(ids), PARAMETERS):
        for row in session.execute(select(*_COLUMNS).where(Image.id.in_(ids[start : start + PARAMETERS]))):
            found[row.id] = Frame(*row)
    return found
