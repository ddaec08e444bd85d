"""A job that meets a full disk goes on by itself once there is room, and says meanwhile what it waits for."""

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from app.db.tables import Job
from app.errors import StorageFull, Unavailable
from app.jobs import ledger
from app.main import create_app
from app.settings import Settings
from app.storage.file import FileStorage
from models.disk import DiskFull
from tests.app.calls import new_collection
from tests.fixtures.pictures import gallery, zipped
from workers import child, full_disk
from workers.context import Context


def sqlite_full() -> OperationalError:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    return OperationalError("insert", {}, cause)


FULL = [OSError(errno.ENOSPC, "No space left on device"), StorageFull("Full."), DiskFull("Full."), sqlite_full()]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "FIRST_S", 0.01)


@pytest.fixture
def api(tmp_path: Path) -> Any:
    settings = Settings(data=tmp_path / "data", full_disk_wait_s=60)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def context(api: Any, job_id: UUID, **changed: Any) -> Context:
    """Of a job that this test has claimed."""
    res = api.app.state.resources
    with res.database.transaction() as session:
        assert ledger.claim(session, job_id, "test", 600) == 1
    with res.database.reading() as session:
        job = session.get_one(Job, job_id)
    made = Context(res, job, res.settings.scratch / f"{job_id}-1")
    made.settings = res.settings.model_copy(update=changed)
    return made


def made_up(api: Any, run: Callable[[Context], None], patched: pytest.MonkeyPatch, **changed: Any) -> Context:
    """A job of a kind that does this."""
    kind = type("made_up", (), {"run": staticmethod(run)})
    patched.setitem(sys.modules, "workers.jobs.made_up", kind)
    with api.app.state.resources.database.transaction() as session:
        job_id = ledger.submit(session, "made_up", collection_id=None, params={}, queue="none").id
    return context(api, job_id, **changed)


def ended(api: Any, made: Context) -> tuple[str, str | None]:
    job = api.get(f"/v1/jobs/{made.job.id}").json()
    return job["state"], job["error"] and job["error"]["code"]


def failing(errors: Iterable[Exception], seen: list[str]) -> Callable[[Context], None]:
    """Runs through once it has raised each of these."""
    left = iter(errors)

    def run(made: Context) -> None:
        with made.database.reading() as session:
            seen.append(str(session.get_one(Job, made.job.id).stage))
        assert list(made.folder.iterdir()) == [], "what an earlier try left takes room"
        (made.folder / "half").write_bytes(b"x")
        for error in left:
            raise error
        with made.succeed({}):
            pass

    return run


@pytest.mark.parametrize("error", FULL, ids=lambda one: type(one).__name__)
def test_it_goes_on_once_there_is_room(
    api: Any, quick: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    seen: list[str] = []
    made = made_up(api, failing([error, error], seen), monkeypatch)
    assert child._run(made) == 0 and ended(api, made) == ("succeeded", None)
    assert seen == ["None", "full_disk", "full_disk"]


def test_an_archive_comes_in_whole(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its input goes when its job is over: one that had failed would have lost what was acknowledged."""
    collection_id, files = new_collection(api), gallery(2)
    headers = {"Content-Type": "application/zip"}
    answer = api.post(f"/v1/collections/{collection_id}/images", content=zipped(files), headers=headers)
    put, calls = FileStorage.put, iter(range(100))

    def full_at_times(self: FileStorage, sources: Iterable[tuple[Path, str]]) -> None:
        if next(calls) in (0, 2, 5):
            raise StorageFull("The disk is full.")
        put(self, sources)

    monkeypatch.setattr(FileStorage, "put", full_at_times)
    made = context(api, UUID(answer.json()["job_id"]))
    assert child._run(made) == 0 and ended(api, made) == ("succeeded", None)
    assert next(calls) > 5
    images = api.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert sorted(one["name"] for one in images) == sorted(files) and {one["status"] for one in images} == {"ready"}


def test_not_for_ever_and_not_for_other_errors(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    made = made_up(api, failing(FULL[:3] * 100, seen), monkeypatch, full_disk_wait_s=0.1)
    assert child._run(made) == 0 and ended(api, made) == ("failed", "storage_full")
    assert 2 <= len(seen) <= 5
    other = Unavailable("The store does not answer.", code="storage_unavailable")
    made = made_up(api, failing([other], []), monkeypatch)
    assert child._run(made) == 0 and ended(api, made) == ("failed", "storage_unavailable")


def test_who_cancels_need_not_wait(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "FIRST_S", 50.0)

    def run(made: Context) -> None:
        assert api.post(f"/v1/jobs/{made.job.id}/cancel").status_code == 202
        raise StorageFull("The disk is full.")

    assert child._run(made_up(api, run, monkeypatch)) == child.EXIT_STOPPED
