"""roost key, beside a service and before there is one; and when roost serve refuses to start."""

import json
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli import app
from tests.fixtures.services import ROOST, environment


@pytest.fixture
def roost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Runs a command on the data folder of this test."""
    monkeypatch.setenv("ROOST_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["key", *arguments], env={"COLUMNS": "200"})

    return run


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_keys_beside_a_service(either_api: TestClient, roost, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("ROOST_DATABASE_URL", either_api.app.state.resources.settings.resolved_database_url)  # type: ignore[attr-defined]
    assert either_api.get("/v1/me").json()["open"] is True
    made = roost("create", "laptop", "--scope", "admin", "--expires", "90d")
    key = made.stdout.strip()
    assert made.exit_code == 0 and key.startswith("roost_") and len(key) > 43
    assert "shown this once" in made.stderr and key not in made.stderr
    assert either_api.get("/v1/me", headers=bearer(key)).json()["scope"] == "admin"
    other = json.loads(roost("create", "script", "--owner", "bob", "--json").stdout)
    assert (other["owner"], other["scope"], other["expires_at"]) == ("bob", "write", None)
    listed = json.loads(roost("list", "--json").stdout)["keys"]
    assert [one["name"] for one in listed] == ["laptop", "script"] and "key" not in listed[0]
    assert roost("revoke", "script").exit_code == 0
    assert either_api.get("/v1/me", headers=bearer(other["key"])).status_code == 401
    again = roost("revoke", "script")
    assert again.exit_code == 1 and again.stderr.count("\n") == 1
    assert json.loads(roost("revoke", other["id"], "--json").stdout)["state"] == "revoked"
    assert "revoked" in roost("list").stdout and other["key"] not in roost("list").stdout
    records = either_api.get("/v1/audit-log", headers=bearer(key)).json()["items"]
    done = [(one["action"], one["path"]) for one in reversed(records)]
    assert done[:3] == [("roost key create", "laptop"), ("roost key create", "script"), ("roost key revoke", "script")]


def test_the_first_key_may_come_before_the_service(roost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert roost("list").exit_code == 1 and not (tmp_path / "data").exists()
    assert roost("create", "first").exit_code == 0
    assert "valid" in roost("list").stdout


@pytest.mark.parametrize("wrong", [["--expires", "soon"], ["--expires", "0d"], ["--scope", "root"], ["--owner", ""]])
def test_wrong_use(roost, wrong: list[str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert roost("create", "laptop", *wrong).exit_code == 2
    assert not (tmp_path / "data").exists()


def test_two_keys_of_one_name_are_revoked_by_id(roost) -> None:  # type: ignore[no-untyped-def]
    roost("create", "laptop"), roost("create", "laptop")
    refused = roost("revoke", "laptop")
    assert refused.exit_code == 1 and "2 keys are named 'laptop'" in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0"])
def test_serve_does_not_start_for_others_without_a_key(host: str, tmp_path: Path) -> None:
    command = [ROOST, "serve", "--data", str(tmp_path / "data"), "--host", host, "--port", "0"]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "roost key create NAME --scope admin" in done.stderr
