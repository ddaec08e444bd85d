"""Owners and their quotas over REST and by command."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import app
from app.db.migrate import migrate
from app.db.session import Database, now
from app.db.tables import LOCAL, AuditRecord, Owner
from tests.app.calls import NOWHERE, new_collection, new_image, problem

PATH = f"/v1/owners/{LOCAL}"


def test_a_quota_is_seen_and_changed(either_api: TestClient) -> None:
    new_image(either_api, new_collection(either_api))
    owner = either_api.get(PATH)
    assert owner.json()["name"] == "local" and owner.json()["images"] == {"used": 1, "limit": None}
    assert either_api.get("/v1/owners").json() == {"items": [owner.json()], "next_cursor": None}
    etag = {"If-Match": owner.headers["ETag"]}
    changed = either_api.patch(PATH, json={"bytes": 10**12, "jobs": 4}, headers=etag)
    assert changed.status_code == 200 and changed.json()["bytes"]["limit"] == 10**12
    assert changed.json()["jobs"] == {"used": 1, "limit": 4} and changed.json()["images"]["limit"] is None
    problem(either_api.patch(PATH, json={"jobs": 5}, headers=etag), 412, "stale")
    problem(either_api.patch(PATH, json={"jobs": 5}), 428, "precondition_required")
    now_seen = {"If-Match": changed.headers["ETag"]}
    lifted = either_api.patch(PATH, json={"bytes": None}, headers=now_seen).json()
    assert lifted["bytes"]["limit"] is None and lifted["jobs"]["limit"] == 4, "what is left out stays"
    quota = either_api.get("/v1/quota").json()
    assert quota == {unit: lifted[unit] for unit in ("bytes", "images", "jobs")}


def test_an_upload_makes_no_edit_stale(either_api: TestClient) -> None:
    etag = either_api.get(PATH).headers["ETag"]
    new_image(either_api, new_collection(either_api))
    assert either_api.patch(PATH, json={"images": 0}, headers={"If-Match": etag}).status_code == 200


@pytest.mark.parametrize("body", [{"bytes": -1}, {"bytes": 2**63}, {"images": 2**31}, {"jobs": "many"}, {"name": "x"}])
def test_what_is_no_quota(shared_api: TestClient, body: dict[str, object]) -> None:
    problem(shared_api.patch(PATH, json=body, headers={"If-Match": "*"}), 422, "invalid")
    problem(shared_api.get(f"/v1/owners/{NOWHERE}"), 404, "owner_not_found")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROOST_DATA", str(tmp_path))
    database = Database(f"sqlite:///{tmp_path / 'roost.db'}")
    migrate(database)
    with database.transaction() as session:
        session.add(Owner(name="garden", used_bytes=1234567, used_images=8, created_at=now(session)))
    database.close()
    return tmp_path


def run(data: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["owner", *arguments, "--data", str(data)])
    return result.exit_code, result.output


def test_the_commands(data: Path) -> None:
    assert run(data, "set", "garden", "--bytes", "1.5 GB", "--images", "100000", "--jobs", "4") == (
        0,
        "garden: 1,234,567 of 1,500,000,000 bytes, 8 of 100,000 images, 0 of 4 jobs\n",
    )
    code, output = run(data, "set", "garden", "--bytes", "2GiB", "--jobs", "none", "--json")
    assert code == 0 and json.loads(output)["bytes"] == {"used": 1234567, "limit": 2**31}
    assert run(data, "list")[1].splitlines() == [
        "garden: 1,234,567 of 2,147,483,648 bytes, 8 of 100,000 images, 0 of any jobs",
        "local: 0 of any bytes, 0 of any images, 0 of any jobs",
    ]
    assert [one["name"] for one in json.loads(run(data, "list", "--json")[1])["owners"]] == ["garden", "local"]
    database = Database(f"sqlite:///{data / 'roost.db'}")
    with database.reading() as session:
        records = session.scalars(select(AuditRecord)).all()
        assert [(one.action, one.path, one.status) for one in records] == [("roost owner set", "garden", 0)] * 2
    database.close()


@pytest.mark.parametrize(
    "wrong",
    [[], ["--bytes", "much"], ["--jobs", "4GB"], ["--images", "-1"], ["--jobs", "1.5"], ["--bytes", "9999999TB"]],
)
def test_wrong_use(data: Path, wrong: list[str]) -> None:
    code, output = run(data, "set", "garden", *wrong)
    assert code == 2 and "Traceback" not in output


def test_nobody_of_that_name(data: Path) -> None:
    code, output = run(data, "set", "nobody", "--jobs", "1")
    assert code == 1 and "There is no owner 'nobody'" in output
