"""The API in this process on each database, with keys of two owners."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.access import keys
from app.db.caller import CALLER, Caller, Scope
from app.db.tables import Owner
from app.resources import Resources
from tests.app.conftest import in_process


@dataclass
class Keyed:
    """An API that has keys: Ada's, who has pictures, and Bob's, who must not see them."""

    client: TestClient
    tag: str  # other tests have owners of their own

    def name(self, owner: str) -> str:
        return f"{owner}-{self.tag}"

    @property
    def resources(self) -> Resources:
        found: Resources = self.client.app.state.resources  # type: ignore[attr-defined]
        return found

    def key(self, owner: str, scope: Scope, lifetime: timedelta | None = None) -> str:
        with self.resources.database.transaction() as session:
            made = keys.make(session, "test", scope, keys.owner(session, self.name(owner), make=True), lifetime)
            return made.text

    def headers(self, owner: str, scope: Scope) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key(owner, scope)}"}

    @contextmanager
    def called_by(self, owner: str, scope: Scope = "write") -> Iterator[Caller]:
        """What runs inside runs as a request of this owner would."""
        text = self.key(owner, scope)
        with self.resources.database.transaction() as session:
            row = keys.valid(session, text)
            owner_id = session.scalars(select(Owner.id).where(Owner.name == self.name(owner))).one()
        assert row
        caller = Caller(owner_id, scope, row.id)
        before = CALLER.set(caller)
        try:
            yield caller
        finally:
            CALLER.reset(before)


@pytest.fixture
def opened(either_api: TestClient) -> Keyed:
    """Without keys as yet."""
    return Keyed(either_api, "first")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def closed_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Not `shared_api`, which others use without keys. Fetching is on: off, it would be refused to everybody alike."""
    data = tmp_path_factory.mktemp("closed") / "data"
    yield from in_process(request, data, "lasting_postgres_url", import_hosts="images.example.org")


@pytest.fixture
def keyed(closed_api: TestClient) -> Keyed:
    """With keys, for tests that keep to owners of their own."""
    closed_api.cookies.clear()
    found = Keyed(closed_api, uuid4().hex[:8])
    found.key("somebody", "read")
    return found
