"""A job's process that dies, and processes whose parent dies; real processes, killed from outside."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psutil

from tests.fixtures.pictures import distinct, zipped
from tests.fixtures.services import EMBEDDED_ONLY, Service, environment
from tests.fixtures.watching import GUARD, JOB, children, wait_for
from tests.test_main_job import collection


def upload(service: Service, count: int) -> str:
    answer = service.client.post(
        f"/v1/collections/{collection(service)}/images",
        content=zipped(distinct(count)),
        headers={"Content-Type": "application/zip"},
    )
    return str(answer.json()["job_id"])


def test_a_job_that_kills_its_process_is_dead_after_three(tmp_path: Path) -> None:
    data = tmp_path / "data"
    service = Service(data, environment(data, ROOST_FAILPOINT="child.begun")).start()
    try:
        for _ in range(2):  # after the first, the service goes on
            job = service.job(upload(service, 5))
            assert (job["state"], job["attempt"]) == ("dead", 3)
            assert "SIGKILL" in job["error"]["detail"] and job["error"]["code"] == "out_of_memory"
    finally:
        service.stop()


@EMBEDDED_ONLY
def test_one_crash_after_progress_is_forgiven(service: Service) -> None:
    job_id = upload(service, 60)
    wait_for(lambda: service.client.get(f"/v1/jobs/{job_id}").json()["stage"] in ("unpack", "ingest"))
    for process in children(service, JOB):
        process.kill()
    job = service.job(job_id)
    assert job["result"] == {"created": 60, "duplicates": 0, "rejected": 0} and job["attempt"] == 2


def test_a_job_that_hangs_is_ended_and_tried_again(tmp_path: Path) -> None:
    (armed := tmp_path / "armed").mkdir()
    (armed / "child.begun").write_text("=sleep:600")
    more = {"ROOST_JOB_STALL_S": "2", "ROOST_FAILPOINT": str(armed)}
    service = Service(tmp_path / "data", environment(tmp_path / "data", **more)).start()
    try:
        job = service.job(upload(service, 2))
        assert (job["state"], job["attempt"]) == ("succeeded", 2)
        assert "no progress" in service.log()
    finally:
        service.stop()


def test_a_job_that_has_ended_may_tidy_up(tmp_path: Path) -> None:
    """Its lease is gone with its end, and the next heartbeat must not take it for one that was taken over."""
    more = {"ROOST_HEARTBEAT_S": "0.5", "ROOST_FAILPOINT": "job.finished=sleep:2.5"}
    service = Service(tmp_path / "data", environment(tmp_path / "data", **more)).start()
    try:
        assert service.job(upload(service, 1))["state"] == "succeeded"
        assert list((service.data / "blobs").rglob("*.unpacked")), "it has not begun to tidy up"
        wait_for(lambda: not children(service, JOB))
        assert not list((service.data / "blobs").rglob("*.unpacked"))
    finally:
        service.stop()


@EMBEDDED_ONLY
def test_nothing_survives_a_killed_service(service: Service) -> None:
    job_id = upload(service, 150)
    guards = wait_for(lambda: children(service, GUARD))
    family = [*children(service, JOB), *guards]
    service.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, [process.cmdline() for process in alive]
    service.start()
    assert service.job(job_id)["state"] == "succeeded"


def test_the_database_says_which_worker_is_alive(make_service: Callable[[str], Service]) -> None:
    service = make_service("server")
    assert service.client.get("/readyz").json()["worker"] == "ok"
    worker = service.processes.pop()
    worker.terminate()
    assert worker.wait(40) == 0
    answer = service.client.get("/readyz")
    assert answer.status_code == 503 and "worker" in answer.text and "database" not in answer.json()["detail"]


@EMBEDDED_ONLY
def test_the_next_job_of_a_collection_begins_at_once(service: Service) -> None:
    """The reconciler would find it too, but only after a quarter of a minute."""
    collection_id = collection(service)
    path = f"/v1/collections/{collection_id}"
    first = service.client.post(
        f"{path}/images", content=zipped(distinct(12)), headers={"Content-Type": "application/zip"}
    ).json()["job_id"]
    second = service.client.post(f"{path}/clusterings", json={"k": 1}).json()["id"]
    ended = service.job(first)["finished_at"]
    began = wait_for(lambda: service.client.get(f"/v1/jobs/{second}").json()["started_at"], 60)
    assert (datetime.fromisoformat(began) - datetime.fromisoformat(ended)).total_seconds() < 8
    assert service.job(second)["state"] == "succeeded"


@EMBEDDED_ONLY
def test_images_deleted_while_they_are_decoded(service: Service) -> None:
    collection_id = collection(service)
    path = f"/v1/collections/{collection_id}/images"
    answer = service.client.post(path, content=zipped(distinct(60)), headers={"Content-Type": "application/zip"})
    images = wait_for(lambda: service.pages(path, status="pending"))
    for image in images[::2]:
        assert service.client.delete(f"/v1/images/{image['id']}").status_code == 204
    job = service.job(answer.json()["job_id"])
    assert job["state"] == "succeeded", job
    kept = service.pages(path)
    assert len(kept) == 60 - len(images[::2]) and {image["status"] for image in kept} == {"ready"}
    blobs = service.data / "blobs" / "collections" / collection_id
    assert sum(1 for file in (blobs / "originals").rglob("*") if file.is_file()) == len(kept)
    assert sum(1 for file in (blobs / "working").rglob("*") if file.is_file()) == len(kept)
