"""Archives over HTTP: streamed to disk, unpacked by a job; hostile ones leave nothing outside the data folder."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.app.calls import files_below, new_collection, problem
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service
from tests.workers.made_archives import link, tarred


def send(client: Any, collection_id: str, content: bytes | Iterator[bytes], kind: str) -> Any:
    headers = {"Content-Type": kind}
    return client.post(f"/v1/collections/{collection_id}/images", content=content, headers=headers)


def unpacked(service: Service, content: bytes, kind: str) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """The ended job, its report, and the names of the collection's images."""
    collection_id = new_collection(service.client)
    answer = send(service.client, collection_id, content, kind)
    assert answer.status_code == 202 and answer.headers["Retry-After"]
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['job_id']}"
    job = service.job(answer.json()["job_id"])
    report = service.client.get(f"/v1/jobs/{job['id']}/report")
    assert report.headers["content-type"].startswith("application/x-ndjson")
    images = service.pages(f"/v1/collections/{collection_id}/images")
    return job, [json.loads(line) for line in report.text.splitlines()], [image["name"] for image in images]


def test_a_hostile_tar(running: Service) -> None:
    """Links, devices, traversal and a broken end: pictures before it stay, and the report has a line for each."""
    a, b = jpeg("red", 1, (32, 24)), jpeg("red", 2, (32, 24))
    data = tarred(
        ("../../../tmp/roost-escape.jpg", a),
        (link(tarfile.SYMTYPE, "link.jpg", "/etc/passwd"), b""),
        (link(tarfile.FIFOTYPE, "fifo.jpg"), b""),
        ("/abs/b.jpg", b),
        ("again.jpg", a),
        ("notes.txt", b"no picture"),
        ("cut.bin", os.urandom(50_000)),
    )
    data = data[: data.rindex(b"cut.bin") + 10_000]
    before = set(Path("/tmp").glob("roost-escape*"))
    job, report, names = unpacked(running, data, "application/x-tar")
    assert (job["state"], job["error"]["code"]) == ("failed", "archive_corrupt") and "2 images" in job["error"][
        "detail"
    ]
    assert [(line["name"], line["status"], line.get("code")) for line in report] == [
        ("../../../tmp/roost-escape.jpg", "ready", None),
        ("link.jpg", "rejected", "image_type_unsupported"),
        ("fifo.jpg", "rejected", "image_type_unsupported"),
        ("/abs/b.jpg", "ready", None),
        ("again.jpg", "duplicate", None),
        ("notes.txt", "rejected", "image_type_unsupported"),
    ]
    assert names == ["../../../tmp/roost-escape.jpg", "/abs/b.jpg"]
    assert set(Path("/tmp").glob("roost-escape*")) == before and not Path("/abs").exists()
    assert not list((running.data / "blobs").rglob(f"{job['id']}.unpacked")), "nothing follows that would remove it"


def test_an_empty_zip_is_a_success(running: Service) -> None:
    job, report, names = unpacked(running, zipped({}), "application/zip")
    assert (job["state"], job["result"]) == ("succeeded", {"created": 0, "duplicates": 0, "rejected": 0})
    assert report == [] == names


def test_a_truncated_tar_gz(running: Service) -> None:
    data = tarred(*((f"{n}.jpg", jpeg("blue", n, (64, 48))) for n in range(9)), mode="w:gz")
    job, report, names = unpacked(running, data[: len(data) // 2], "application/gzip")
    assert (job["state"], job["error"]["code"]) == ("failed", "archive_corrupt")
    assert names == [line["name"] for line in report] == [f"{n}.jpg" for n in range(len(names))] and len(names) >= 2


@pytest.mark.parametrize("kind", ["application/zip", "application/x-tar", "application/gzip"])
@pytest.mark.parametrize("body", [b"", b"no archive", jpeg()], ids=["empty", "text", "picture"])
def test_what_is_no_archive_is_refused_at_once(api: TestClient, settings: Settings, kind: str, body: bytes) -> None:
    problem(send(api, new_collection(api), body, kind), 422, "archive_corrupt")
    assert files_below(settings.scratch) + files_below(settings.data / "blobs") == []
    assert api.get("/v1/jobs").json()["items"] == []


def test_more_bytes_than_an_archive_may_have(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, max_archive_bytes=10_000)
    with TestClient(create_app(settings)) as api:
        answer = send(api, new_collection(api), zipped({"a": bytes(20_000)}), "application/zip")
        problem(answer, 413, "archive_limit")
    assert files_below(settings.scratch) + files_below(settings.data / "blobs") == []


def test_a_report_waits_for_its_job(api: TestClient) -> None:
    job_id = send(api, new_collection(api), zipped({}), "application/zip").json()["job_id"]
    early = api.get(f"/v1/jobs/{job_id}/report")
    assert problem(early, 409, "report_not_ready") and early.headers["Retry-After"]
    api.post(f"/v1/jobs/{job_id}/cancel")
    problem(api.get(f"/v1/jobs/{job_id}/report"), 404, "report_not_found")


@pytest.mark.embedded
def test_memory_stays_flat_while_an_archive_streams_in(running: Service) -> None:
    """300 MB pass through the serving process; its peak grows by less than 60 MB."""
    collection_id = new_collection(running.client)
    status = Path(f"/proc/{running.processes[0].pid}/status")
    send(running.client, collection_id, tarred(("warm up", b"x")), "application/x-tar")
    before = peak(status)
    answer = send(running.client, collection_id, tar_of(300), "application/x-tar")
    assert answer.status_code == 202
    assert peak(status) - before < 60
    running.client.post(f"/v1/jobs/{answer.json()['job_id']}/cancel")
    running.job(answer.json()["job_id"])


def peak(status: Path) -> float:
    """VmHWM in MB."""
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def tar_of(megabytes: int) -> Iterator[bytes]:
    """A tar of one-megabyte members that are no pictures, made as it is read."""
    block = os.urandom(2**20)
    for n in range(megabytes):
        info = tarfile.TarInfo(f"{n}.bin")
        info.size = len(block)
        yield info.tobuf()
        yield block
    yield io.BytesIO(bytes(1024)).read()
