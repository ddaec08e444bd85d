"""GET /v1/system: what this Roost is, runs on and takes."""

import platform
import shutil
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.resources import Resources
from app.settings import Settings
from app.system.repository import Totals
from tests.app.calls import new_collection, new_image
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service


def test_an_empty_installation(either_api: TestClient, request: pytest.FixtureRequest) -> None:
    found = either_api.get("/v1/system").json()
    settings: Settings = either_api.app.state.resources.settings  # type: ignore[attr-defined]
    assert found["version"] == version("roost") and found["python"] == platform.python_version()
    assert found["database"] in request.node.name and found["broker"] == "embedded" and found["open"] is True
    assert found["workers"] == found["import_hosts"] == []
    disk = shutil.disk_usage(settings.data)
    assert found["storage"].pop("free") == pytest.approx(disk.free, rel=0.1)
    assert found["storage"] == {"kind": "local", "images": 0, "bytes": 0, "total": disk.total}
    assert found["limits"] == {
        "file_bytes": settings.max_file_bytes,
        "pixels": 50_000_000,
        "upload_files": settings.max_upload_files,
        "archive_bytes": settings.max_archive_bytes,
        "archive_members": settings.max_archive_members,
        "archive_ratio": settings.max_archive_ratio,
    }


def test_images_of_all_collections_count(either_api: TestClient) -> None:
    either_api.app.state.totals = Totals(kept_s=0)  # type: ignore[attr-defined]
    for seed in range(2):
        new_image(either_api, new_collection(either_api), seed)
        size = sum(len(jpeg("red", one, (32, 24))) for one in range(seed + 1))
        storage = either_api.get("/v1/system").json()["storage"]
        assert (storage["images"], storage["bytes"]) == (seed + 1, size)


def test_the_sum_is_kept_for_a_while(either_api: TestClient) -> None:
    resources: Resources = either_api.app.state.resources  # type: ignore[attr-defined]
    totals = Totals(kept_s=3600)
    collection_id = new_collection(either_api)
    with resources.database.reading() as session:
        assert totals.get(session) == (0, 0)
    new_image(either_api, collection_id)
    with resources.database.reading() as session:
        assert totals.get(session) == (0, 0)
        assert Totals().get(session)[0] == 1


@pytest.mark.embedded
def test_the_worker_that_is_there(running: Service) -> None:
    (worker,) = running.client.get("/v1/system").json()["workers"]
    assert worker["name"] == "embedded" and worker["queues"] == ["cpu", "gpu"]
    assert datetime.fromisoformat(worker["last_seen"]).tzinfo


@pytest.mark.parametrize(("device", "broker"), [("cuda", "redis"), ("cpu", "redis"), ("auto", "redis")])
def test_elsewhere_the_setting_is_what_is_known(tmp_path: Path, device: str, broker: str) -> None:
    settings = Settings.model_validate({"data": tmp_path, "device": device, "broker_url": "redis://127.0.0.1:1/0"})
    with TestClient(create_app(settings)) as api:
        found = api.get("/v1/system").json()
    assert (found["device"], found["broker"]) == (device, broker)


def test_here_no_driver_means_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in ((False, "cpu"), (True, "auto")):
        monkeypatch.setattr("app.system.service.nvidia_driver", lambda there=there: there)
        with TestClient(create_app(Settings(data=tmp_path))) as api:
            assert api.get("/v1/system").json()["device"] == expected
