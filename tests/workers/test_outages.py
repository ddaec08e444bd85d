"""A job that meets a full disk, or a store that does not answer, says so, waits, and goes on by itself."""

import errno
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from app.db.tables import Job
from app.demo.client import Client, JobEnded
from app.errors import StorageFull, Unavailable
from app.jobs import ledger
from app.main import create_app
from app.maintenance import repair
from app.settings import Settings
from app.storage.file import FileStorage
from models.disk import DiskFull
from tests.app.calls import new_collection
from tests.fixtures.full_disk import FOREVER, FullDisk
from tests.fixtures.pictures import gallery, zipped
from tests.fixtures.services import Service, environment
from tests.fixtures.watching import wait_for
from tests.test_main_job import collection
from workers import child, runner
from workers.context import Context, JobFailed
from workers.jobs import unpack
from workers.outages import Outage
from workers.runner import Runner


def sqlite_full() -> OperationalError:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    return OperationalError("insert", {}, cause)


FULL = [OSError(errno.ENOSPC, "No space left on device"), StorageFull("Full."), DiskFull("Full."), sqlite_full()]
AWAY = [
    Unavailable("Away.", code="storage_unavailable"),
    Unavailable("Full.", code="cache_full"),
    OSError(errno.ESTALE, "Stale file handle"),
]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(ledger, "LONGEST_PAUSE_S", 0.01)


@pytest.fixture
def api(tmp_path: Path) -> Any:
    with TestClient(create_app(Settings(data=tmp_path / "data")), raise_server_exceptions=False) as client:
        yield client


def attempt(api: Any, job_id: UUID, **changed: Any) -> Context:
    """A context of the job, which this test claims as soon as it is due."""
    res = api.app.state.resources
    number = wait_for(lambda: claimed(api, job_id))
    with res.database.reading() as session:
        job = session.get_one(Job, job_id)
    made = Context(res, job, res.settings.scratch / f"{job_id}-{number}")
    made.settings = res.settings.model_copy(update=changed)
    made.folder.mkdir(parents=True)
    return made


def claimed(api: Any, job_id: UUID) -> int | None:
    with api.app.state.resources.database.transaction() as session:
        return ledger.claim(session, job_id, "test", 600)


def made_up(api: Any, run: Callable[[Context], None], patched: pytest.MonkeyPatch, lock: str | None = None) -> UUID:
    """A job of a kind that does this."""
    kind = type("made_up", (), {"run": staticmethod(run)})
    patched.setitem(sys.modules, "workers.jobs.made_up", kind)
    with api.app.state.resources.database.transaction() as session:
        return ledger.submit(session, "made_up", collection_id=None, params={}, queue="none", lock=lock).id


def seen(api: Any, job_id: UUID) -> tuple[str, str | None]:
    job = api.get(f"/v1/jobs/{job_id}").json()
    return job["state"], job["error"] and job["error"]["code"]


def failing(errors: Iterable[Exception]) -> Callable[[Context], None]:
    """Each attempt raises one of these, the one after them succeeds."""
    left = iter(errors)

    def run(made: Context) -> None:
        (made.folder / "half").write_bytes(b"x")
        for error in left:
            raise error
        with made.succeed({}):
            pass

    return run


@pytest.mark.parametrize("error", [*FULL, *AWAY], ids=lambda one: type(one).__name__)
def test_it_goes_on_once_it_is_over(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    code = "storage_full" if error in FULL else getattr(error, "code", "storage_unavailable")
    job_id = made_up(api, failing([error, error]), monkeypatch)
    for _ in range(2):
        made = attempt(api, job_id)
        assert child._run(made) == 0 and seen(api, job_id) == ("queued", code)
        assert not made.folder.exists(), "what it left takes room"
    assert child._run(attempt(api, job_id)) == 0 and seen(api, job_id) == ("succeeded", None)


def test_an_archive_comes_in_whole(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its input goes when its job is over: one that had failed would have lost what was acknowledged."""
    collection_id, files = new_collection(api), gallery(2)
    headers = {"Content-Type": "application/zip"}
    answer = api.post(f"/v1/collections/{collection_id}/images", content=zipped(files), headers=headers)
    job_id = UUID(answer.json()["job_id"])
    put, calls = FileStorage.put, iter(range(100))

    def full_at_times(self: FileStorage, sources: Iterable[tuple[Path, str]]) -> None:
        if next(calls) in (0, 2, 5):
            raise StorageFull("The disk is full.")
        put(self, sources)

    monkeypatch.setattr(FileStorage, "put", full_at_times)
    tries = 0
    while seen(api, job_id)[0] == "queued":
        assert child._run(attempt(api, job_id)) == 0
        tries += 1
    assert seen(api, job_id) == ("succeeded", None) and tries == 4 and next(calls) > 5
    images = api.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert sorted(one["name"] for one in images) == sorted(files) and {one["status"] for one in images} == {"ready"}


def test_an_archive_unpacked_again_does_not_get_on(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the attempt before has kept is no progress: or it would be tried without a pause, and without an end."""
    monkeypatch.setattr(unpack, "BATCH", 1)
    collection_id, files = new_collection(api), gallery(3)
    headers = {"Content-Type": "application/zip"}
    answer = api.post(f"/v1/collections/{collection_id}/images", content=zipped(files), headers=headers)
    job_id, put = UUID(answer.json()["job_id"]), FileStorage.put

    def full_at_the_last(self: FileStorage, sources: Iterable[tuple[Path, str]]) -> None:
        for path, key in sources:
            if path.name.startswith("2-") or path.name.endswith("unpacked"):
                raise StorageFull("The disk is full.")
            put(self, [(path, key)])

    monkeypatch.setattr(FileStorage, "put", full_at_the_last)
    advances = []
    while seen(api, job_id)[0] == "queued":
        assert child._run(attempt(api, job_id, outage_wait_s=0.03)) == 0
        with api.app.state.resources.database.reading() as session:
            advances.append(session.get_one(Job, job_id).advances)
    assert seen(api, job_id) == ("failed", "storage_full") and advances[0] > 0
    assert set(advances[1:]) == {advances[0]} and len(advances) == 4


def test_a_disk_that_is_full_from_the_beginning(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = made_up(api, failing([]), monkeypatch)
    made = attempt(api, job_id)
    made.folder.rmdir()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(type(made.folder), "mkdir", full)
        assert child._run(made) == 0
    assert seen(api, job_id) == ("queued", "storage_full")


def test_others_run_meanwhile(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the same lock keep their order."""
    waits = made_up(api, failing(FULL), monkeypatch, lock="one")
    later, other = (made_up(api, failing(FULL), monkeypatch, lock=lock) for lock in ("one", "other"))
    assert child._run(attempt(api, waits)) == 0
    assert [claimed(api, one) for one in (waits, later, other)] == [None, None, 1]


def test_not_for_ever(api: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, tries = made_up(api, failing(FULL * 100), monkeypatch), 0
    while seen(api, job_id)[0] == "queued":
        assert child._run(attempt(api, job_id, outage_wait_s=0.2)) == 0
        tries += 1
    assert seen(api, job_id) == ("failed", "storage_full") and tries > 2


@pytest.mark.parametrize("code", ["storage_damaged", "encoder_unavailable"])
def test_not_for_what_waiting_does_not_mend(api: Any, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    job_id = made_up(api, failing([JobFailed(code, "It is damaged.")]), monkeypatch)
    assert child._run(attempt(api, job_id)) == 0 and seen(api, job_id) == ("failed", code)


def test_who_cancels_need_not_wait(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = made_up(api, failing(FULL), monkeypatch)
    assert child._run(attempt(api, job_id)) == 0 and seen(api, job_id) == ("queued", "storage_full")
    assert api.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert seen(api, job_id) == ("cancelled", None)

    def run(made: Context) -> None:
        assert api.post(f"/v1/jobs/{made.job.id}/cancel").status_code == 202
        raise StorageFull("The disk is full.")

    job_id = made_up(api, run, monkeypatch)
    assert child._run(attempt(api, job_id)) == 0 and seen(api, job_id) == ("cancelled", None)


def test_who_sits_at_a_terminal_is_told(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`roost demo` and `roost verify --repair` would stand there for a week."""
    job_id = made_up(api, failing(FULL), monkeypatch)
    assert child._run(attempt(api, job_id)) == 0
    (job,) = repair.wait(api.app.state.resources, [job_id], lambda done, total: None)
    assert (job.state, job.error_code) == ("queued", "storage_full")
    client = Client("http://testserver")
    client.http = api
    with pytest.raises(JobEnded, match=r"queued: The disk is full; .* tries again by itself\."):
        client.follow(str(job_id), lambda _: None)


def test_a_database_without_room_even_for_that(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the worker writes it down, once it can: it is no crash."""
    job_id = made_up(api, failing(FULL), monkeypatch)
    made = attempt(api, job_id)

    def full(*_: Any) -> None:
        raise sqlite_full()

    with monkeypatch.context() as patched:
        patched.setattr(Outage, "postpone", full)
        code = child._run(made)
    assert code == child.EXIT_NO_ROOM
    assert seen(api, job_id) == ("running", None)
    postpone, tries = Outage.postpone, iter(range(10))

    def full_twice(self: Outage, *given: Any) -> None:
        if next(tries) < 2:
            raise sqlite_full()
        postpone(self, *given)

    monkeypatch.setattr(Outage, "postpone", full_twice)
    monkeypatch.setattr(runner, "LOOK_EVERY_S", 0.01)
    impatient = replace(made.resources, settings=made.settings.model_copy(update={"lease_s": 0.0}))
    Runner(impatient, "test")._settle(job_id, 1, code, type("Watch", (), {"lost": False}))  # type: ignore[arg-type]
    assert seen(api, job_id) == ("queued", "storage_full") and next(tries) == 3


def test_a_database_that_fails_at_the_end_is_no_word_of_the_job(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a lease that was lost meanwhile."""
    for fault, code in (
        (sqlite_full(), child.EXIT_NO_ROOM),
        (OperationalError("update", {}, sqlite3.OperationalError("locked")), child.EXIT_CRASHED),
        (ledger.LeaseLost(), child.EXIT_LEASE_LOST),
    ):

        def fail(*_: Any, fault: Exception = fault, **__: Any) -> None:
            raise fault

        made = attempt(api, made_up(api, failing([ValueError()]), monkeypatch))
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "postpone", fail)
            patched.setattr(ledger, "finish", fail)
            assert child._run(made) == code


def test_a_service_on_a_full_disk_recovers_by_itself(full_disk_library: Path, tmp_path: Path) -> None:
    """Its database is on that disk, too."""
    (armed := tmp_path / "armed").mkdir()
    (armed / "child.begun").write_text("=sleep:3")
    data = tmp_path / "data"
    data.mkdir()
    disk = FullDisk(data, tmp_path / "control")
    more = disk.environment(full_disk_library) | {"ROOST_FAILPOINT": str(armed), "ROOST_LEASE_S": "3"}
    service = Service(data, environment(data, ROOST_HEARTBEAT_S="0.5", **more)).start()
    try:
        path = f"/v1/collections/{collection(service)}/images"
        headers = {"Content-Type": "application/zip"}
        job_id = service.client.post(path, content=zipped(gallery(3)), headers=headers).json()["job_id"]
        wait_for(lambda: not list(armed.iterdir()))
        disk.fill(1, FOREVER)
        time.sleep(6)
        assert service.client.get(f"/v1/jobs/{job_id}").json()["state"] in ("running", "queued")
        assert disk.empty() > 0
        job = service.job(job_id)
        assert (job["state"], job["result"]["created"]) == ("succeeded", len(gallery(3)))
    finally:
        service.stop()
