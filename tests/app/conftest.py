"""The API in this process on each database, and one running service with a gallery already sorted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.app.calls import new_collection
from tests.fixtures.pictures import gallery, zipped
from tests.fixtures.servers import free_port
from tests.fixtures.services import Service, environment


@pytest.fixture(params=["sqlite", "postgresql"])
def either_api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestClient]:
    """The API without a worker, once on each database, empty."""
    yield from in_process(request, tmp_path / "data", "new_postgres_url")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The same for tests that keep to a collection of their own and need not wait for an empty database."""
    yield from in_process(request, tmp_path_factory.mktemp("shared") / "data", "lasting_postgres_url")


def in_process(request: pytest.FixtureRequest, data: Path, new_url: str, **told: Any) -> Iterator[TestClient]:
    url = request.getfixturevalue(new_url)() if request.param == "postgresql" else None
    app = create_app(Settings(data=data, database_url=url, **told))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@dataclass
class Sorted:
    """A running service and in it a collection of twelve images in three clusters."""

    service: Service
    collection_id: str
    clustering: dict[str, Any]
    images: list[dict[str, Any]]

    @property
    def client(self) -> httpx.Client:
        return self.service.client


@pytest.fixture(scope="session")
def web_port() -> int:
    """Of this machine; the one place from which the running service may fetch."""
    return free_port()


@pytest.fixture(scope="session")
def running(
    tmp_path_factory: pytest.TempPathFactory, real_servers: Callable[[int], dict[str, str]], web_port: int
) -> Iterator[Service]:
    """One service for all tests that need real HTTP or real jobs; each makes its own collection."""
    data = tmp_path_factory.mktemp("running") / "data"
    told = real_servers(0)
    named = environment(data, ROOST_LOG_FORMAT="json", ROOST_IMPORT_HOSTS=f"127.0.0.1:{web_port}", **told)
    service = Service(data, named, workers=1 if told else 0).start()
    yield service
    assert not any(service.stop())


@pytest.fixture(scope="session")
def sorted_gallery(running: Service) -> Sorted:
    """For tests that only look; who changes something makes a collection of their own."""
    client = running.client
    collection_id = new_collection(client, "sorted")
    archive = client.post(
        f"/v1/collections/{collection_id}/images",
        content=zipped(gallery(4)),
        headers={"Content-Type": "application/zip"},
    )
    assert running.job(archive.json()["job_id"])["state"] == "succeeded"
    job = client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 3}).json()
    done = running.job(job["id"])
    clustering = client.get(f"/v1/clusterings/{done['result']['clustering_id']}").json()
    return Sorted(running, collection_id, clustering, running.pages(f"/v1/collections/{collection_id}/images"))
