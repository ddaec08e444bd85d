"""/healthz, /readyz and /metrics"""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.main import create_app
from app.settings import Settings
from tests.app.calls import new_collection, new_image, problem
from tests.fixtures.servers import free_port
from tests.fixtures.services import Service


def test_this_process(api: TestClient) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}


def test_all_is_there(running: Service) -> None:
    answer = running.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "storage": "ok", "broker": "ok", "worker": "ok"}


def missing(api: TestClient) -> set[str]:
    answer = api.get("/readyz")
    body = problem(answer, 503, "not_ready")
    assert answer.headers["Retry-After"]
    failing = {name for name, state in body["checks"].items() if state != "ok"}
    assert set(body["checks"]) == {"database", "storage", "broker", "worker"}
    assert all(name in body["detail"] for name in failing)
    return failing


def test_without_a_worker(api: TestClient) -> None:
    assert missing(api) == {"worker"}


def test_without_a_storage(api: TestClient, settings: Settings) -> None:
    shutil.rmtree(settings.data / "blobs")
    (settings.data / "blobs").write_text("in the way")
    assert missing(api) == {"storage", "worker"}


def test_without_a_broker(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{free_port()}/0")
    with TestClient(create_app(settings)) as api:
        assert missing(api) == {"broker", "worker"}


def test_without_a_database(api: TestClient, settings: Settings) -> None:
    api.app.state.resources.database.engine.dispose()  # type: ignore[attr-defined]
    for file in settings.data.glob("roost.db*"):
        file.unlink()
    (settings.data / "roost.db").mkdir()
    assert missing(api) == {"database", "worker"}
    assert api.get("/healthz").status_code == 200
    answer = api.get("/v1/collections")
    assert problem(answer, 503, "database_busy") and answer.headers["Retry-After"]
    problem(api.get("/metrics"), 503, "database_busy")


def samples(api: TestClient) -> dict[tuple[str, ...], float]:
    answer = api.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics(api: TestClient) -> None:
    collection_id = new_collection(api)
    new_image(api, collection_id)
    api.get("/nothing")
    before = samples(api)
    assert before["roost_jobs", "queued"] == before["roost_images", "pending"] == 1
    assert before["roost_jobs", "dead"] == 0
    assert before["roost_requests_total", "createCollection", "201"] == 1
    assert before["roost_requests_total", "uploadImages", "200"] == 1
    assert before["roost_requests_total", "unmatched", "404"] == 1
    assert before["roost_request_seconds_count", "createCollection"] == 1
    api.delete(f"/v1/collections/{collection_id}")
    after = samples(api)
    assert after["roost_images", "pending"] == 0, "what is no more is not shown for ever"
    assert (after["roost_jobs", "cancelled"], after["roost_jobs", "queued"]) == (1, 1)


@pytest.mark.parametrize("path", [f"/v1/images/{n:032x}" for n in range(3)])
def test_labels_name_operations_not_addresses(api: TestClient, path: str) -> None:
    api.get(path)
    assert samples(api)["roost_requests_total", "getImage", "404"] == 1
