"""OpenVINO's reporter stays out, and the watch that shows it would see it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

import models
from models.engines import telemetry

Environment = Callable[[Path], dict[str, str]]
ROOT = Path(models.__file__).parent


def attempts(script: str, environment: dict[str, str]) -> list[str]:
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT.parent, check=True, capture_output=True)
    lines = Path(environment["NETWORK_LOG"]).read_text().splitlines()
    assert lines and lines[0].startswith("watching")
    return [line for line in lines if not line.startswith("watching")]


def test_nothing_is_sent_by_importing(watched_environment: Environment, tmp_path: Path) -> None:
    script = "from models.engines.openvino import openvino_core; openvino_core()"
    assert attempts(script, watched_environment(tmp_path / "log")) == []


@pytest.mark.skipif(find_spec("openvino_telemetry") is None, reason="openvino-telemetry is not installed")
def test_the_watch_sees_the_reporter_where_it_is_not_kept_out(watched_environment: Environment, tmp_path: Path) -> None:
    # A process forked by the reporter sends, and the import does not wait for it: the sleep does.
    script = "import openvino, time; time.sleep(1)"
    assert any("google-analytics" in line for line in attempts(script, watched_environment(tmp_path / "log")))


def test_a_reporter_already_loaded_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, telemetry.REPORTER, sys)
    with pytest.raises(telemetry.TelemetryLoaded):
        telemetry.import_openvino()


def test_openvino_comes_in_through_this_door_only() -> None:
    """Imports that follow a call of import_openvino() are of its submodules, which is fine."""
    direct = []
    for package in ("app", "workers", "models", "benchmarks"):
        for file in (ROOT.parent / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                direct += [file.name for name in names if name == "openvino"]
    assert direct == ["telemetry.py"]
