"""docker-compose.yml and the Dockerfile can't be run here; what they run is what the other tests run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from app.cli import app
from app.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_command_is_one_of_roost() -> None:
    for name in ("api", "worker", "worker-gpu"):
        program, command, *options = COMPOSE["services"][name]["command"]
        assert program == "roost"
        help_text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        assert all(option in help_text for option in options if option.startswith("--")), (name, options)


def test_the_first_key_is_made_as_the_file_says() -> None:
    """The API listens on all addresses of its container, where it does not start without one."""
    assert "0.0.0.0" in COMPOSE["services"]["api"]["command"]
    said = re.search(r"docker compose run --rm api roost (key create .*?)  ", (ROOT / "docker-compose.yml").read_text())
    assert said
    *command, _name, option, _scope = said[1].split()
    help_text = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}).output
    assert option in help_text and "Example:" in help_text


def test_every_setting_exists() -> None:
    known = {f"ROOST_{name.upper()}" for name in Settings.model_fields}
    for name in ("api", "worker", "worker-gpu"):
        assert {key for key in COMPOSE["services"][name]["environment"] if key.startswith("ROOST_")} <= known
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"\b(ROOST_\w+)=", dockerfile)) <= known


def test_servers_are_healthy_before_anyone_needs_them() -> None:
    services = COMPOSE["services"]
    for name in ("api", "worker", "worker-gpu"):
        for needed, condition in services[name]["depends_on"].items():
            assert condition == {"condition": "service_healthy"} and services[needed]["healthcheck"]["test"]
    assert services["worker-gpu"]["profiles"] == ["gpu"] and "profiles" not in services["worker"]


def test_redis_keeps_what_it_was_told() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command


def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not (linter.exists() or shutil.which("hadolint")):
        pytest.skip("hadolint is not installed for this platform")
    result = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_image_has_every_package() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name in ("app", "workers", "models", "requirements.lock", "pyproject.toml", "README.md", "LICENSE"):
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", dockerfile, re.MULTILINE) and f"!{name}" in ignored
