"""Opening the data of a service for maintenance, whether it is being served or not."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.db.migrate import config, migrate
from app.errors import Invalid
from app.resources import Resources
from app.settings import Settings


def settings(data: Path | None) -> Settings:
    """The settings with this data folder; processes that are started from here see the same."""
    if data is not None:
        os.environ["ROOST_DATA"] = str(data)
    return Settings()


@contextmanager
def opened(chosen: Settings) -> Iterator[Resources]:
    """The resources of data that exist. Invalid (data_missing, schema_old) makes sure that nothing is made anew."""
    if chosen.database_url is None and not (chosen.data / "roost.db").is_file():
        raise Invalid(f"There is no roost.db in {chosen.data}; name the data folder with --data.", code="data_missing")
    res = Resources.open(chosen)
    try:
        _check_schema(res)
        yield res
    finally:
        res.close()


@contextmanager
def begun(chosen: Settings) -> Iterator[Resources]:
    """The same, or the first of new data: an empty database gets its tables. Invalid (schema_old) for an older one."""
    chosen.data.mkdir(parents=True, exist_ok=True)
    res = Resources.open(chosen)
    try:
        if _schema(res) is None:
            migrate(res.database)
        _check_schema(res)
        yield res
    finally:
        res.close()


@contextmanager
def alone(chosen: Settings) -> Iterator[bool]:
    """Whether nobody else uses the data: then nobody can begin to, until this ends.

    The lock is the one of `roost serve`. In the server setting others may always be at work.
    """
    with (chosen.data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield chosen.embedded


def _schema(res: Resources) -> str | None:
    with res.database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _check_schema(res: Resources) -> None:
    if (found := _schema(res)) != (newest := ScriptDirectory.from_config(config()).get_current_head()):
        detail = f"The database has the schema {found}, this version needs {newest}. Start roost serve once with it."
        raise Invalid(detail, code="schema_old")
