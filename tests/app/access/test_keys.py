"""Keys over HTTP: who gets in, what for, and for how long."""

import base64
import json
import logging
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.access import keys
from app.access.gate import Gate
from app.access.keys import digest
from app.db.tables import ApiKey, Table
from tests.app.access.conftest import Keyed
from tests.app.calls import new_collection, problem


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_keys_everybody_may_do_everything(opened: Keyed) -> None:
    api = opened.client
    assert api.get("/v1/me").json() == {"owner": "local", "scope": "admin", "key": None, "open": True}
    assert api.get("/v1/system").json()["open"] is True
    assert api.get("/v1/keys", headers={"Authorization": "Basic cHJveHk6c2VjcmV0"}).json()["items"] == []
    new_collection(api)


def test_the_first_key_is_not_made_by_who_only_reaches_the_address(opened: Keyed) -> None:
    problem(opened.client.post("/v1/keys", json={"name": "mine now"}), 409, "first_key")
    new_collection(opened.client)


def test_with_the_first_key_the_service_closes_and_stays_closed(opened: Keyed) -> None:
    api = opened.client
    headers = opened.headers("ada", "admin")
    me = {"owner": opened.name("ada"), "scope": "admin", "key": "test", "open": False}
    assert api.get("/v1/me", headers=headers).json() == me
    assert api.get("/v1/system", headers=headers).json()["open"] is False
    answer = api.get("/v1/collections")
    problem(answer, 401, "key_required")
    assert answer.headers["www-authenticate"] == "Bearer" and answer.headers["x-request-id"]
    for row in api.get("/v1/keys", headers=headers).json()["items"]:
        assert api.delete(f"/v1/keys/{row['id']}", headers=headers).status_code == 204
    problem(api.get("/v1/collections", headers=headers), 401, "key_invalid")
    fresh = Gate(opened.resources.database)  # as after a restart
    with opened.resources.database.reading() as session:
        assert fresh._open(session) is False


def test_a_service_that_was_open_sees_its_first_key_within_a_second(
    opened: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1000.0
    monkeypatch.setattr("app.access.gate.time.monotonic", lambda: moment)
    opened.client.app.state.gate = Gate(opened.resources.database)  # type: ignore[attr-defined]
    assert opened.client.get("/v1/collections").status_code == 200
    key = opened.key("ada", "read")
    assert opened.client.get("/v1/collections").status_code == 200
    moment += 1.0
    assert opened.client.get("/v1/collections").status_code == 401
    assert opened.client.get("/v1/collections", headers=bearer(key)).status_code == 200


def test_scopes(keyed: Keyed) -> None:
    api = keyed.client
    read, write, admin = (keyed.headers("ada", scope) for scope in ("read", "write", "admin"))
    problem(api.post("/v1/collections", json={"name": "Garden"}, headers=read), 403, "scope_too_small")
    made = api.post("/v1/collections", json={"name": "Garden"}, headers=write).json()["id"]
    assert api.get(f"/v1/collections/{made}", headers=read).status_code == 200
    problem(api.get("/v1/keys", headers=write), 403, "scope_too_small")
    assert api.get("/v1/keys", headers=admin).status_code == 200
    assert api.delete(f"/v1/collections/{made}", headers=admin).status_code == 204
    problem(api.get(f"/v1/collections/{made}", headers=read), 404, "collection_not_found")


def test_a_key_is_shown_once_and_holds_until_it_is_revoked(keyed: Keyed) -> None:
    api, admin = keyed.client, keyed.headers("ada", "admin")
    answer = api.post("/v1/keys", json={"name": "script", "scope": "read"}, headers=admin | {"Idempotency-Key": "one"})
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
    assert api.get("/v1/me", headers=bearer(made["key"])).json()["key"] == "script"
    shown = api.get(answer.headers["location"], headers=admin).json()
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert api.delete(answer.headers["location"], headers=admin).status_code == 204
    problem(api.get("/v1/me", headers=bearer(made["key"])), 401, "key_invalid")
    assert api.get(answer.headers["location"], headers=admin).json()["state"] == "revoked"
    again = api.post("/v1/keys", json={"name": "script", "scope": "read"}, headers=admin | {"Idempotency-Key": "one"})
    assert again.json()["key"] != made["key"]


def test_a_key_is_256_random_bits() -> None:
    made = {keys.secret().removeprefix(keys.PREFIX) for _ in range(100)}
    assert len(made) == 100 and {len(base64.urlsafe_b64decode(f"{one}=")) for one in made} == {32}


def test_a_key_ends_when_it_expires(keyed: Keyed) -> None:
    key = keyed.key("ada", "read", timedelta(hours=1))
    assert keyed.client.get("/v1/me", headers=bearer(key)).status_code == 200
    with keyed.resources.database.transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.sha256 == digest(key)).values(expires_at=ApiKey.created_at))
    problem(keyed.client.get("/v1/me", headers=bearer(key)), 401, "key_invalid")


def test_a_key_for_another_owner_needs_that_owner(keyed: Keyed) -> None:
    admin = keyed.headers("ada", "admin")
    body = {"name": "x", "owner": keyed.name("bob")}
    problem(keyed.client.post("/v1/keys", json=body, headers=admin), 404, "owner_not_found")
    keyed.key("bob", "read")
    assert keyed.client.post("/v1/keys", json=body, headers=admin).json()["owner"] == body["owner"]


def test_an_admin_does_not_see_the_pictures_of_others(keyed: Keyed) -> None:
    made = keyed.client.post("/v1/collections", json={"name": "Garden"}, headers=keyed.headers("ada", "write")).json()
    admin = keyed.headers("bob", "admin")
    assert keyed.client.get("/v1/collections", headers=admin).json()["items"] == []
    problem(keyed.client.get(f"/v1/collections/{made['id']}", headers=admin), 404, "collection_not_found")


def test_idempotency_keys_are_each_owners_own(keyed: Keyed) -> None:
    both = [keyed.headers(owner, "write") | {"Idempotency-Key": "one"} for owner in ("ada", "bob")]
    ids = [
        keyed.client.post("/v1/collections", json={"name": "Garden"}, headers=headers).json()["id"]
        for headers in [*both, *both]
    ]
    assert ids[:2] == ids[2:] and ids[0] != ids[1]


def test_a_browser_logs_in_and_out(keyed: Keyed) -> None:
    api, key = keyed.client, keyed.key("ada", "write")
    problem(api.post("/v1/session", json={"key": key[:-1]}), 401, "key_invalid")
    answer = api.post("/v1/session", json={"key": key})
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert {flag.lower() for flag in flags} == {"httponly", "samesite=strict", "path=/", "max-age=2592000"}
    assert key not in name and answer.json()["owner"] == keyed.name("ada")
    new_collection(api)  # the client keeps the cookie
    assert api.delete("/v1/session").status_code == 204 and not api.cookies
    problem(api.get("/v1/me", headers={"Cookie": name}), 401, "key_invalid")
    problem(api.get("/v1/me"), 401, "key_required")


def test_the_cookie_of_a_secure_connection_is_for_such_ones_only(keyed: Keyed) -> None:
    key = keyed.key("ada", "read")
    secure = TestClient(keyed.client.app, base_url="https://testserver")
    assert "; Secure" in secure.post("/v1/session", json={"key": key}).headers["set-cookie"]


def test_a_log_in_ends_with_its_key(keyed: Keyed) -> None:
    api, admin = keyed.client, keyed.headers("ada", "admin")
    made = api.post("/v1/keys", json={"name": "browser"}, headers=admin).json()
    api.post("/v1/session", json={"key": made["key"]})
    assert api.get("/v1/me").json()["key"] == "browser"
    api.delete(f"/v1/keys/{made['id']}", headers=admin)
    problem(api.get("/v1/me"), 401, "key_invalid")
    assert api.get("/settings").status_code == api.get("/healthz").status_code == 200


def test_no_log_no_row_and_no_file_holds_a_key(keyed: Keyed, caplog: pytest.LogCaptureFixture) -> None:
    api, admin = keyed.client, keyed.key("ada", "admin")
    with caplog.at_level(logging.DEBUG):
        answer = api.post("/v1/keys", json={"name": "one"}, headers=bearer(admin) | {"Idempotency-Key": "k"}).json()
        cookie = api.post("/v1/session", json={"key": answer["key"]}).cookies["roost_session"]
        api.get("/v1/collections", headers=bearer(answer["key"]))
        api.get("/v1/collections", headers=bearer(answer["key"] + "x"))
        api.delete("/v1/session", headers={"Cookie": f"roost_session={cookie}"})
    with keyed.resources.database.engine.connect() as connection:
        rows = [
            list(map(str, row))
            for table in Table.metadata.tables.values()
            for row in connection.execute(table.select())
        ]
    written = json.dumps(rows) + caplog.text
    data = keyed.resources.settings.data
    written += "".join(path.read_bytes().decode("latin-1") for path in data.rglob("*") if path.is_file())
    assert rows
    for secret in (admin, answer["key"], cookie):
        assert secret not in written and secret[6:] not in written
