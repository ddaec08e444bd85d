"""/healthz and /readyz"""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db.session import now
from app.db.tables import Worker
from app.main import create_app
from app.metrics import workers
from app.readiness import LIMIT_S, Readiness
from app.resources import Resources
from app.settings import Settings
from tests.app.calls import problem
from tests.fixtures.servers import free_port
from tests.fixtures.services import Service, environment


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


@pytest.mark.embedded
def test_without_a_storage(api: TestClient, settings: Settings) -> None:
    shutil.rmtree(settings.data / "blobs")
    (settings.data / "blobs").write_text("in the way")
    assert missing(api) == {"storage", "worker"}


def test_without_a_broker(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{free_port()}/0")
    with TestClient(create_app(settings)) as api:
        assert missing(api) == {"broker", "worker"}


@pytest.mark.embedded
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


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def heard_of(api: TestClient, ago_s: float, queues: str = "cpu,gpu", name: str = "somewhere:1") -> None:
    """A worker's last word, as its reconciler writes it."""
    with resources(api).database.transaction() as session:
        session.merge(Worker(name=name, queues=queues, seen_at=now(session) - timedelta(seconds=ago_s)))


def test_a_worker_that_went_silent(either_api: TestClient) -> None:
    heard_of(either_api, 5)
    assert either_api.get("/readyz").status_code == 200
    heard_of(either_api, 13)
    assert missing(either_api) == {"worker"}


def test_red_within_fifteen_seconds() -> None:
    assert workers.silence(Settings()) < timedelta(seconds=15) > timedelta(seconds=LIMIT_S)
    slow = Settings(reconcile_s=30)
    assert workers.silence(slow) > 2 * timedelta(seconds=slow.reconcile_s), "a worker may miss a round"


def test_a_worker_of_another_queue_is_no_help(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data=tmp_path, embed_queue="gpu"))) as api:
        heard_of(api, 0, "cpu", "a")
        assert missing(api) == {"worker"}
        heard_of(api, 0, "gpu", "b")
        assert api.get("/readyz").status_code == 200
        heard_of(api, 60, "cpu", "a")
        assert missing(api) == {"worker"}


def impatient(api: TestClient) -> None:
    api.app.state.readiness = Readiness(resources(api), limit_s=1)  # type: ignore[attr-defined]


def test_a_database_that_hangs(either_api: TestClient) -> None:
    """Somebody holds the lock that a write needs and does not let go."""
    impatient(either_api)
    heard_of(either_api, 0)
    engine = resources(either_api).database.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(roost_begin="BEGIN IMMEDIATE") as holder:
        holder.execute(text("SELECT 1" if sqlite else "LOCK TABLE workers"))
        began = time.monotonic()
        assert "database" in missing(either_api)
        assert time.monotonic() - began < 5, "it was not waited for as long as a request waits"
        waiting = {thread for thread in threading.enumerate() if thread.name == "readiness"}
        assert "database" in missing(either_api)
        assert {thread for thread in threading.enumerate() if thread.name == "readiness"} <= waiting, "none more waits"
        assert either_api.get("/healthz").status_code == 200


def test_a_database_that_can_only_be_read(new_postgres_url: Callable[[], str], tmp_path: Path) -> None:
    url = new_postgres_url()
    with TestClient(create_app(Settings(data=tmp_path, database_url=url))) as api:
        heard_of(api, 0)
        assert api.get("/readyz").status_code == 200
        engine = resources(api).database.engine
        with engine.begin() as session:
            session.execute(text(f'ALTER DATABASE "{engine.url.database}" SET default_transaction_read_only = on'))
        engine.dispose()
        assert missing(api) == {"database"}


def test_a_broker_that_hangs(tmp_path: Path) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        settings = Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        with TestClient(create_app(settings)) as api:
            impatient(api)
            heard_of(api, 0)
            assert missing(api) == {"broker"}


ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from fastapi.testclient import TestClient
from app.main import create_app
from app.settings import Settings
with TestClient(create_app(Settings(data=Path(sys.argv[1])))) as api:
    before = api.get("/readyz").json()["checks"]["storage"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    during = api.get("/readyz").json()["checks"]["storage"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    print("seen:", before, during, api.get("/readyz").json()["checks"]["storage"])
"""


def test_a_storage_that_takes_names_but_no_bytes(tmp_path: Path) -> None:
    """The kernel refuses every byte of a file, as on a full disk, where an empty file still fits."""
    command = [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path / "data")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "seen: ok failing ok" in run.stdout, run.stderr
    assert not list((tmp_path / "data" / "tmp").glob("probe-*")), "a failed probe leaves nothing behind"


def test_a_killed_worker_turns_it_red_in_time(
    tmp_path: Path, new_postgres_url: Callable[[], str], redis_port: int
) -> None:
    """With the settings as they come; the fifteen seconds are promised in docs/operations.md."""
    data = tmp_path / "data"
    urls = {"ROOST_DATABASE_URL": new_postgres_url(), "ROOST_BROKER_URL": f"redis://127.0.0.1:{redis_port}/8"}
    usual = {"ROOST_RECONCILE_S": str(Settings().reconcile_s)}
    service = Service(data, environment(data, **urls, **usual), workers=1).start()
    try:
        killed = service.processes.pop()
        killed.kill()
        killed.wait()
        began = time.monotonic()
        while (answer := service.client.get("/readyz")).status_code == 200:
            assert time.monotonic() - began < 15
            time.sleep(0.2)
        checks = problem(answer, 503, "not_ready")["checks"]
        assert checks == {"database": "ok", "storage": "ok", "broker": "ok", "worker": "failing"}
    finally:
        service.stop()
