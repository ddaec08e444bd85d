"""Rows of the encoders that come with Roost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from app.db.migrate import migrate
from app.db.session import Database
from app.db.tables import Encoder
from app.encoders.repository import register
from models import registry


def test_two_processes_that_start_at_once(new_postgres_url: Callable[[], str]) -> None:
    database = Database(new_postgres_url(), lambda job_id, queue: None)
    migrate(database)

    def start() -> None:
        with database.transaction() as session:
            register(session)

    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            register(session)
            session.flush()
            second = pool.submit(start)
            time.sleep(0.5)  # in which it sees none of these, and begins to write its own
        second.result(30)
    with database.reading() as session:
        assert sorted(session.scalars(select(Encoder.name))) == sorted(registry.names("encoders"))
    database.close()
