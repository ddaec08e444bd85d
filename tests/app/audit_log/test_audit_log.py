"""Every call that may change something leaves a record of who, what and when; and never a secret."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.access import keys
from app.access.audit_log import AuditLog, record_command
from app.access.caller import Caller
from app.audit_log import repository
from app.db.session import now
from app.db.tables import LOCAL, AuditRecord, Owner
from app.ids import first_id, new_id
from app.resources import Resources
from tests.app.calls import NOWHERE, new_collection, problem
from tests.app.test_openapi import operations
from tests.fixtures.callers import Calling

SECRET = "c2VjcmV0"
NOBODY = Caller(UUID(int=0), "read", UUID(int=0))  # who has no key where one is needed
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def newest(api: TestClient, **filters: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/v1/audit-log", params={"limit": 1, **filters}).json()["items"][0]
    return found


def unsafe(api: TestClient) -> Iterator[tuple[str, str, str]]:
    """Method, path and id of every operation that is not only read, as the OpenAPI text has them."""
    for name, operation in operations(api.get("/openapi.json").json()):
        method, path = name.split(" ")
        if method in UNSAFE and operation.get("x-scope") != "read":
            yield method, path, operation["operationId"]


def test_every_unsafe_operation_leaves_its_record(either_api: TestClient) -> None:
    """Whatever comes of it; nothing of headers, query or body is in it."""
    told = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": SECRET, "Cookie": f"roost_session={SECRET}"}
    called: list[tuple[str, int, str]] = []
    for method, path, operation in unsafe(either_api):
        there = re.sub(r"\{\w+\}", NOWHERE, path)
        answer = either_api.request(method, f"{there}?key={SECRET}", json={"key": SECRET, "name": SECRET}, headers=told)
        called.append((operation, answer.status_code, there))
        record = newest(either_api)
        assert (record["action"], record["status"], record["path"]) == called[-1]
        assert record["request_id"] == answer.headers["X-Request-Id"] and record["address"] == "testclient"
    assert len(called) > 20 and {"createCollection", "uploadImages", "changeOwner"} <= {name for name, _, _ in called}
    with resources(either_api).database.reading() as session:
        rows = session.execute(text("SELECT * FROM audit_records")).all()
    assert len(rows) == len(called) and SECRET not in str(rows)


def test_strangers_cannot_fill_the_database(either_api: TestClient) -> None:
    """What has no key is refused and leaves nothing behind; who tries keys at the log-in does."""
    with resources(either_api).database.transaction() as session:
        key = keys.make(session, "mine", "admin", session.get_one(Owner, LOCAL), None).text
    for _ in range(3):
        assert either_api.post("/v1/collections", json={"name": "theirs"}).status_code == 401
    answers = [either_api.post("/v1/session", json={"key": "roost_wrong"}).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    found = either_api.get("/v1/audit-log", headers={"Authorization": f"Bearer {key}"}).json()["items"]
    assert [one["action"] for one in found] == ["logIn"] * 10


def test_what_is_not_recorded_and_what_is_no_operation(either_api: TestClient) -> None:
    either_api.get("/v1/collections")
    either_api.head("/v1/collections")
    either_api.options("/v1/collections")
    assert either_api.get("/v1/audit-log").json()["items"] == []
    long = "/nothing/" + "x" * 3000 + "%00%0d%0a\u202e"
    for method, path in (("POST", long), ("DELETE", "/v1/collections")):
        assert either_api.request(method, path).status_code in (404, 405)
        record = newest(either_api)
        assert record["action"] == "unmatched" and record["status"] in (404, 405)
        assert len(record["path"]) <= 500 and "\n" not in record["path"]


def test_pages_and_filters(either_api: TestClient) -> None:
    before = new_collection(either_api, "a")
    middle = newest(either_api)["at"]
    for name in "bcd":
        new_collection(either_api, name)
    either_api.delete(f"/v1/collections/{before}")
    page = either_api.get("/v1/audit-log?limit=2").json()
    assert [one["action"] for one in page["items"]] == ["deleteCollection", "createCollection"]
    rest = either_api.get("/v1/audit-log", params={"limit": 9, "cursor": page["next_cursor"]}).json()
    assert len(rest["items"]) == 3 and rest["next_cursor"] is None
    ids = [one["id"] for one in page["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)

    def found(**filters: str) -> int:
        return len(either_api.get("/v1/audit-log", params=filters).json()["items"])

    assert found(action="createCollection") == 4 and found(action="none") == 0
    assert found(since=middle) == 5 and found(since=rest["items"][0]["at"]) == 3
    assert found(since="2999-01-01T00:00:00Z") == 0 and found(since="1900-01-01T00:00:00Z") == 5
    assert found(owner=NOWHERE) == 0


@pytest.mark.parametrize(
    ("caller", "owner_id"), [(Caller(LOCAL, "write", UUID(int=7)), LOCAL), (NOBODY, None), (None, None)]
)
def test_who_called(either_api: TestClient, caller: Caller | None, owner_id: UUID | None) -> None:
    """Known only below the record's keeper, where the answer comes from; also that of a failure."""

    async def change(request: Request) -> Response:
        if request.url.path == "/fails":
            raise RuntimeError
        return Response(status_code=204)

    routes = [Route("/fails", change, methods=["POST"]), Route("/works", change, methods=["POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(AuditLog), Middleware(Calling, caller=caller)])
    app.state.resources = resources(either_api)
    client = TestClient(app, raise_server_exceptions=False)
    assert client.post("/works").status_code == 204 and client.post("/fails").status_code == 500
    failed, worked = either_api.get("/v1/audit-log").json()["items"]
    assert (worked["status"], failed["status"]) == (204, 500)
    wanted = caller.key_id if caller and owner_id else None
    assert (worked["owner_id"], worked["key_id"]) == (owner_id and str(owner_id), wanted and str(wanted))


class Lines(logging.Handler):
    """What is logged, as structlog hands it on."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, dict)
        self.events.append(record.msg)


def test_no_record_can_be_written(either_api: TestClient, request: pytest.FixtureRequest) -> None:
    """The answer is what it is, and the log says so."""
    with resources(either_api).database.transaction() as session:
        session.execute(text("ALTER TABLE audit_records RENAME TO elsewhere"))
    logger, lines = logging.getLogger("roost.audit_log"), Lines()
    logger.addHandler(lines)
    request.addfinalizer(lambda: logger.removeHandler(lines))
    assert new_collection(either_api)
    problem(either_api.delete(f"/v1/collections/{NOWHERE}"), 404, "collection_not_found")
    assert [one["action"] for one in lines.events] == ["createCollection", "deleteCollection"]
    assert {one["event"] for one in lines.events} == {"no audit record could be written"}


def test_old_records_go_in_small_batches(either_api: TestClient) -> None:
    database = resources(either_api).database
    with database.transaction() as session:
        moment = now(session)
        for age in [*[401] * (repository.FORGOTTEN_AT_ONCE + 3), 399, 0]:
            at = moment - timedelta(days=age)
            identity = UUID(int=first_id(at).int | new_id().int & (1 << 62) - 1)
            session.add(AuditRecord(id=identity, at=at, action="old", path="/", status=204))
        record_command(session, "roost owner set", "garden")
    removed = []
    for _ in range(3):
        with database.transaction() as session:
            removed.append(repository.forget(session, 400))
    assert removed == [repository.FORGOTTEN_AT_ONCE, 3, 0]
    with database.reading() as session:
        kept = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [(one.action, one.status) for one in kept] == [("old", 204), ("old", 204), ("roost owner set", 0)]
