"""Every error has one form and a stable code, also the unforeseen one, which tells the caller nothing of us."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.main import create_app
from app.settings import Settings
from tests.app.calls import files_below, new_collection, problem, upload
from tests.fixtures.pictures import jpeg


def drop(api: TestClient, table: str) -> None:
    with api.app.state.resources.database.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(text(f"DROP TABLE {table}"))


def test_an_unforeseen_error(either_api: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    new_collection(either_api)
    drop(either_api, "idempotency_keys")
    drop(either_api, "assignments")
    answer = either_api.post("/v1/collections", json={"name": "a"}, headers={"Idempotency-Key": "k"})
    body = problem(answer, 500, "internal")
    assert set(body) == {"type", "title", "status", "detail", "code"} and answer.headers["X-Request-Id"]
    for secret in ("Traceback", "idempotency_keys", "sqlalchemy", "SELECT", ".py"):
        assert secret not in answer.text
    log = caplog.text
    assert "unforeseen error" in log and "idempotency_keys" in log and answer.headers["X-Request-Id"] in log
    assert "roost_requests_total" in either_api.get("/metrics").text
    assert len(either_api.get("/v1/collections").json()["items"]) == 1, "it goes on serving, and nothing is half done"


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v1/collections/a/b/c", "/v1/images", "/../etc/passwd"])
def test_nothing_at_this_address(shared_api: TestClient, path: str) -> None:
    problem(shared_api.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method(shared_api: TestClient, method: str) -> None:
    answer = shared_api.request(method, "/v1/collections")
    assert problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


BODIES: list[tuple[bytes, int]] = [
    (b"", 422), (b"{", 422), (b"\xff\xfe\x00", 400), (b"null", 422), (b'"text"', 422), (b'{"name": 1e999}', 422),
    (b'{"name":' * 50_000, 400), (b'{"name": "\\ud800"}', 422), (b'{"\\ud800": 1, "name": "a"}', 422),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
def test_bodies_that_are_no_json(api: TestClient, body: bytes, status: int) -> None:
    answer = api.post("/v1/collections", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status, "invalid" if status == 422 else "bad_request")
    assert api.get("/v1/collections").json()["items"] == []


def test_what_the_caller_sent_may_be_quoted_even_if_it_is_no_unicode(api: TestClient) -> None:
    path = f"/v1/collections/{new_collection(api)}/clusterings"
    for body in ('{"params": {"\\ud800": 1}}', '{"algorithm": "\\ud800"}', '{"encoder": "\\udfff"}'):
        answer = api.post(path, content=body, headers={"Content-Type": "application/json"})
        problem(answer, 422, answer.json()["code"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_fills_while_a_file_comes_in(tmp_path: Path) -> None:
    """Small files are noticed when they are closed, large ones while they are written."""
    from app.errors import StorageFull
    from app.images.staging import Stager

    for size in (10, 10**6):
        (tmp_path / "scratch").mkdir(exist_ok=True)
        stager = Stager(tmp_path / "scratch", "a.jpg", 10**9)
        stager._file.close()
        stager._file = open("/dev/full", "wb")  # noqa: SIM115
        with pytest.raises(StorageFull):
            stager.write(bytes(size))
            stager.finish()
        assert files_below(tmp_path / "scratch") == []


def test_a_database_that_is_locked(tmp_path: Path) -> None:
    """Somebody else holds the write lock for longer than we wait: 503 with Retry-After, and reading still works."""
    settings = Settings(data=tmp_path)
    with TestClient(create_app(settings), raise_server_exceptions=False) as api:
        collection_id = new_collection(api)
        database = api.app.state.resources.database  # type: ignore[attr-defined]
        database.engine.dispose()

        def hurry(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA busy_timeout=50")

        from sqlalchemy import event

        event.listen(database.engine, "connect", hurry)
        with database.writer.begin() as other:
            other.execute(text("UPDATE collections SET name = 'held'"))
            for answer in (
                api.post("/v1/collections", json={"name": "b"}),
                upload(api, collection_id, [("a.jpg", jpeg())]),
            ):
                assert problem(answer, 503, "database_busy") and answer.headers["Retry-After"]
            assert api.get("/v1/collections").status_code == 200
        assert files_below(settings.scratch) + files_below(tmp_path / "blobs") == [], "no blob without its row"
        assert upload(api, collection_id, [("a.jpg", jpeg())]).json()["created"] == 1
