"""Alembic's entry: the connection is handed over by app.db.migrate or app.db.revise."""

from typing import Any, Literal

from alembic import context

from app.db.tables import Table
from app.db.types import UtcDateTime


def render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration must not depend on today's code: our one own type is written as what it is in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    render_item=render,
)
context.run_migrations()
