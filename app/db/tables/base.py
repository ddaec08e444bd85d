"""What every table has in common."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Text, Uuid
from sqlalchemy.orm import DeclarativeBase

from app.db.types import UtcDateTime


class Table(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute of the class
        datetime: UtcDateTime,
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: Text,
    }


def cascade(target: str) -> ForeignKey:
    """A key to another table, with whose row this one goes."""
    return ForeignKey(target, ondelete="CASCADE")
