"""A quota under two who reserve at the same moment; test_quotas.py has many of them over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import text

from app.access import quotas
from app.db.migrate import migrate
from app.db.session import Database
from app.db.tables import Owner
from app.ids import new_id
from tests.fixtures.watching import wait_for


def test_the_last_place_is_taken_once(new_postgres_url: Callable[[], str]) -> None:
    """The second asks while the first has not committed: it waits, and then there is no place for it."""
    database, owner_id = Database(new_postgres_url()), new_id()
    migrate(database)
    with database.transaction() as session:
        session.add(Owner(id=owner_id, name="full", created_at=datetime.now(UTC), quota_images=1))

    def reserve(name: str) -> set[str]:
        with database.transaction() as session:
            return quotas.reserve(session, owner_id, {name: 1})

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            assert quotas.reserve(session, owner_id, {"first": 1}) == {"first"}
            second = pool.submit(reserve, "second")
            wait_for(lambda: session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
        assert second.result() == set()
    with database.reading() as session:
        assert session.get_one(Owner, owner_id).used_images == 1
    database.close()
