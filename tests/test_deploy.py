"""The dashboard, the alerts and the page on operations speak of metrics that exist, with labels that they have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.jobs import ledger
from app.resources import Resources

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
# Labels that the scrape adds, and that of a process's own histograms
ADDED = {"job", "instance", "le"}
DURATION = re.compile(r"\d+[smhd]")


def panel_expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def expressions() -> list[str]:
    variables = [one["query"]["query"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    return [*(rule["expr"] for rule in RULES), *panel_expressions(), *variables]


@pytest.fixture
def families(api: TestClient) -> dict[str, Metric]:
    """By name, while one job waits, one runs and one has ended, so that every metric shows its labels."""
    res: Resources = api.app.state.resources  # type: ignore[attr-defined]
    api.get("/healthz")
    with res.database.transaction() as session:
        waits, runs, ends = (ledger.submit(session, "cluster", collection_id=None, params={}) for _ in range(3))
        for job in (runs, ends):
            assert ledger.claim(session, job.id, "test", 60) == 1
        ledger.finish(session, ends.id, 1, "failed", code="internal")
    assert waits.state == "queued"
    answer = api.get("/metrics")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def names_of(families: dict[str, Metric]) -> dict[str, set[str]]:
    """Labels of every name that may stand in an expression."""
    found: dict[str, set[str]] = {}
    for family in families.values():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_in_an_expression_exists_with_its_labels(families: dict[str, Metric]) -> None:
    known = names_of(families)
    for expression in expressions():
        named = re.findall(r"\broost_\w+", expression)
        assert named or "up{" in expression, expression
        assert set(named) <= set(known), expression
        labels = set().union(*(known[name] for name in named)) | ADDED
        assert set(re.findall(r"(\w+)\s*[=!]~?\s*\"", expression)) <= labels, expression
        joined = re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression)
        assert {label.strip() for group in joined for label in group.split(",")} <= labels, expression


def test_every_metric_is_documented_and_nothing_else(families: dict[str, Metric]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| `(roost_\w+)", page, re.MULTILINE))
    created = {name for name in families if name.endswith("_created")}
    shown = {f"{name}_total" if family.type == "counter" else name for name, family in families.items()}
    shown = {"roost_build_info" if name == "roost_build" else name for name in shown - created}
    assert documented == shown


def test_names_follow_the_conventions(families: dict[str, Metric]) -> None:
    for name, family in families.items():
        assert re.fullmatch(r"roost_[a-z_]+", name) and family.documentation.endswith("."), name
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|gb|percent)$", name), "base units only"
        assert family.type != "unknown", name


def test_alerts_are_built_as_prometheus_reads_them() -> None:
    assert set(ALERTS) == {"groups"} and len({rule["alert"] for rule in RULES}) == len(RULES)
    for group in ALERTS["groups"]:
        assert set(group) <= {"name", "interval", "rules"}
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert re.fullmatch(r"Roost[A-Za-z]+", rule["alert"])
        assert DURATION.fullmatch(rule.get("for", "1m"))
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^\| `(Roost\w+)`", page, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_expressions_are_balanced() -> None:
    closing = {")": "(", "]": "[", "}": "{"}
    for expression in expressions():
        open_ones: list[str] = []
        for sign in re.sub(r'"[^"]*"', "", expression):
            if sign in closing.values():
                open_ones.append(sign)
            elif sign in closing:
                assert open_ones and open_ones.pop() == closing[sign], expression
        assert not open_ones, expression
        for window in re.findall(r"\[([^\]]*)\]", re.sub(r'"[^"]*"', "", expression)):
            assert window == "$__rate_interval" or DURATION.fullmatch(window), expression


def test_the_dashboard_is_one() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) and DASHBOARD["title"] == "Roost" and DASHBOARD["schemaVersion"] >= 36
    assert "__inputs" not in DASHBOARD, "it can be provisioned as a file"
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        assert all(target["refId"] and target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_the_scrape_example_reads_the_rules_that_lie_beside_it() -> None:
    example = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert all((DEPLOY / name).exists() for name in example["rule_files"])
    (scrape,) = example["scrape_configs"]
    assert scrape["metrics_path"] == "/metrics" and scrape["job_name"] == "roost"
    assert 'up{job="roost"}' in " ".join(expressions())


def test_locked_installs_are_checked_against_their_hashes() -> None:
    for name in ("Makefile", "Dockerfile"):
        text = (ROOT / name).read_text()
        installs = re.findall(r"pip install[^\n]*\.lock", text)
        assert installs and all("--require-hashes" in line for line in installs), name
    for name in ("requirements.lock", "requirements-dev.lock"):
        pinned = re.split(r"\n(?=[a-zA-Z])", (ROOT / name).read_text())[1:]
        assert pinned and all(re.match(r"\S+==\S+[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", one) for one in pinned), name


@pytest.mark.parametrize(("package", "mended"), [("pillow", (13, 0, 0)), ("python-multipart", (0, 0, 27))])
def test_locked_versions_are_past_known_weaknesses(package: str, mended: tuple[int, ...]) -> None:
    """CVE-2026-112403 in Pillow, floods of part headers in python-multipart; others are for `make audit` to find."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        (locked,) = re.findall(rf"^{package}==([\d.]+)", (ROOT / name).read_text(), re.MULTILINE)
        assert tuple(map(int, locked.split("."))) >= mended, name
