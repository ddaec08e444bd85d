"""An API whose pieces are so small that a test fills many."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.fixtures.services import Service, environment

PIECE = 1000


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def pieces_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Without a worker, once on each database."""
    url = request.getfixturevalue("lasting_postgres_url")() if request.param == "postgresql" else None
    data = tmp_path_factory.mktemp("pieces") / "data"
    limits = {"max_file_bytes": 50_000, "max_archive_bytes": 100_000}
    app = create_app(Settings(data=data, database_url=url, upload_piece_bytes=PIECE, **limits))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def piecewise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with pieces of 20,000 bytes."""
    data = tmp_path_factory.mktemp("piecewise") / "data"
    service = Service(data, environment(data, ROOST_UPLOAD_PIECE_BYTES="20000")).start()
    yield service
    assert service.stop() == [0]
