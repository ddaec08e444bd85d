"""Bring the database to the newest schema at start; several processes may start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.db.session import Database

_LOCK = 0x526F6F7374  # "Roost"


def config() -> Config:
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return alembic


def migrate(database: Database) -> None:
    """Run what is missing inside one transaction, so that a crash in the middle leaves the old schema."""
    alembic = config()
    with database.writer.begin() as connection:  # SQLite: BEGIN IMMEDIATE keeps a second starter waiting
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")
