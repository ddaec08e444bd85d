"""Every list is a page with an opaque cursor: the last row's sort key, so that pages stay right while rows come."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID
from zlib import crc32

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Invalid

T = TypeVar("T")
Row = TypeVar("Row")
SortKey = InstrumentedAttribute[Any] | ColumnElement[Any]  # minus a column where only that one goes down


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True)
class Paging:
    """`path` names the list, so that one list's cursor is not taken for another's."""

    limit: int = 50
    cursor: str | None = None
    path: str = ""


def page(
    session: Session,
    statement: Select[Row],
    paging: Paging,
    *key: SortKey,
    value: Callable[[Row], Sequence[Any]],
    descending: bool = False,
) -> tuple[list[Row], str | None]:
    """One page of `statement` sorted by the columns `key`, whose values in a row `value` gives; and the next cursor."""
    if paging.cursor:
        last = tuple_(*_bound(paging, key))
        columns = tuple_(*key)
        statement = statement.where(columns < last if descending else columns > last)
    order = [column.desc() if descending else column for column in key]
    rows = list(session.scalars(statement.order_by(*order).limit(paging.limit + 1)))
    if len(rows) <= paging.limit:
        return rows, None
    return rows[: paging.limit], cursor_after(paging, value(rows[paging.limit - 1]))


def cursor_after(paging: Paging, values: Sequence[Any]) -> str:
    """The cursor of a list that is no table: the sort key of the last item of this page."""
    plain = [str(item) if isinstance(item, UUID) else item for item in values]
    return base64.urlsafe_b64encode(json.dumps([_mark(paging), *plain]).encode()).decode().rstrip("=")


def sort_key(paging: Paging, *kinds: type) -> list[Any] | None:
    """The sort key in the cursor, if there is one; anything but a cursor that we made for this list is Invalid."""
    if not paging.cursor:
        return None
    try:
        mark, *values = json.loads(base64.urlsafe_b64decode(paging.cursor + "=" * (-len(paging.cursor) % 4)))
        if mark != _mark(paging) or len(values) != len(kinds):
            raise ValueError("another list's cursor")
        return [_typed(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("cursor: pass next_cursor of the page before as it was given.", code="cursor_invalid") from error


def _bound(paging: Paging, key: Sequence[SortKey]) -> list[ColumnElement[Any]]:
    """The cursor's values as typed literals."""
    types = [column.type for column in key]
    values = sort_key(paging, *(kind.python_type for kind in types)) or []
    return [literal(value, kind) for value, kind in zip(values, types, strict=True)]


def _mark(paging: Paging) -> int:
    """Which list a cursor belongs to, in few characters."""
    return crc32(paging.path.encode("utf-8", "replace"))


def _typed(kind: type, value: Any) -> Any:
    """A sort key as its column has it. JSON knows numbers that no column holds."""
    if kind is UUID:
        return UUID(value)
    if type(value) not in (int, kind) or not -(2**31) < value < 2**31:
        raise ValueError("no sort key of this column")
    return kind(value)
