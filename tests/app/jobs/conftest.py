"""A ledger on each database."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from app.db.migrate import migrate
from app.db.session import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgresql"
    url = request.getfixturevalue("new_postgres_url")() if postgres else f"sqlite:///{tmp_path / 'ledger.db'}"
    announced: list[UUID] = []
    made = Database(url, lambda job_id, queue: announced.append(job_id))
    migrate(made)
    made.announced = announced  # type: ignore[attr-defined]
    yield made
    made.close()
