"""Multipart uploads: duplicates, refusals by code, broken bodies; and nothing left behind."""

import hashlib
import io
import socket
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.settings import Settings
from tests.app.calls import (
    BOUNDARY,
    NOWHERE,
    files_below,
    multipart,
    new_collection,
    part,
    problem,
    send_multipart,
    upload,
)
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service


def png(size: tuple[int, int] = (8, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims a size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def left_behind(settings: Settings) -> list[Path]:
    return files_below(settings.scratch) + files_below(settings.data / "blobs")


def test_many_files_in_their_order(either_api: TestClient) -> None:
    collection_id = new_collection(either_api)
    a, b = jpeg("red", 1), jpeg("green", 2)
    files = [("a.jpg", a), ("same.txt", b"no picture"), ("b.jpg", b), ("a again.jpg", a), ("same.txt", png())]
    answer = upload(either_api, collection_id, files)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["created"], body["duplicates"], body["rejected"]) == (3, 1, 1)
    items = body["items"]
    assert [item["name"] for item in items] == [name for name, _ in files]
    assert [item["status"] for item in items] == ["created", "rejected", "created", "duplicate", "created"]
    assert items[3]["image_id"] == items[0]["image_id"] and items[1]["code"] == "image_type_unsupported"
    for item, data in ((items[0], a), (items[2], b)):
        image = either_api.get(f"/v1/images/{item['image_id']}").json()
        assert (image["status"], image["bytes"], image["format"]) == ("pending", len(data), "jpeg")
        assert image["sha256"] == hashlib.sha256(data).hexdigest()
        assert either_api.get(f"/v1/images/{item['image_id']}/file").content == data
    job = either_api.get(f"/v1/jobs/{body['job_id']}").json()
    assert (job["kind"], job["state"], job["collection_id"]) == ("ingest", "queued", collection_id)


@pytest.mark.embedded
def test_duplicates_across_uploads_but_not_collections(api: TestClient, settings: Settings) -> None:
    first, second = new_collection(api), new_collection(api)
    image = upload(api, first, [("a.jpg", jpeg())]).json()["items"][0]["image_id"]
    again = upload(api, first, [("other name.jpg", jpeg())]).json()
    assert (again["created"], again["duplicates"], again["items"][0]["image_id"]) == (0, 1, image)
    assert again["job_id"] is None, "nothing to decode, so no job"
    assert upload(api, second, [("a.jpg", jpeg())]).json()["created"] == 1
    assert len(left_behind(settings)) == 2


def test_uploads_share_the_job_that_nobody_has_begun(either_api: TestClient) -> None:
    """Each job is a process of its own: a second one would find nothing that the first has not decoded."""
    collection_id = new_collection(either_api)

    def job_of(file: bytes) -> str:
        return str(upload(either_api, collection_id, [("a.jpg", file)]).json()["job_id"])

    first = job_of(jpeg("red", 1))
    assert job_of(jpeg("red", 2)) == first
    assert upload(either_api, collection_id, [("a.jpg", jpeg("red", 2))]).json()["job_id"] is None
    assert either_api.get(f"/v1/jobs/{first}").json()["state"] == "queued", "an upload without news takes no job away"
    archive = either_api.post(
        f"/v1/collections/{collection_id}/images",
        content=zipped({"b.jpg": jpeg("red", 3)}),
        headers={"Content-Type": "application/zip"},
    ).json()["job_id"]
    assert archive != first and job_of(jpeg("red", 4)) == first, "an archive's job has its own input"
    either_api.post(f"/v1/jobs/{first}/cancel")
    assert job_of(jpeg("red", 5)) not in (first, archive)


@pytest.mark.embedded
def test_a_hundred_parallel_uploads_of_one_file(running: Service) -> None:
    collection_id = new_collection(running.client)
    client = running.client

    def send(n: int) -> tuple[int, str, str]:
        answer = upload(client, collection_id, [(f"{n}.jpg", jpeg())])
        item = answer.json()["items"][0]
        return answer.status_code, item["status"], item["image_id"]

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(send, range(100)))
    assert {status for status, _, _ in answers} == {200} and len({image for _, _, image in answers}) == 1
    assert sorted(status for _, status, _ in answers) == ["created"] + ["duplicate"] * 99
    assert len(files_below(running.data / "blobs" / "collections" / collection_id / "originals")) == 1


REFUSED = {
    "eps": ("a.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image_type_unsupported"),
    "svg": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image_type_unsupported"),
    "png as jpg": ("a.jpg", png(), "image_type_mismatch"),
    "jpg as png": ("a.png", jpeg(), "image_type_mismatch"),
    "empty": ("a.jpg", b"", "image_corrupt"),
    "two bytes": ("a.jpg", b"\xff\xd8", "image_corrupt"),
    "huge": ("a.png", png_claiming(65_000, 65_000), "image_too_large"),
    "a zip as well": ("a.gif", b"", "image_type_mismatch"),
    "too many bytes": ("a.jpg", jpeg() + bytes(60_000), "file_too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(tmp_path: Path, case: str) -> None:
    name, data, code = REFUSED[case]
    if case == "a zip as well":
        data = gif_and_zip()
    settings = Settings(data=tmp_path, max_file_bytes=50_000)
    with TestClient(create_app(settings)) as api:
        answer = upload(api, new_collection(api), [(name, data), ("good.jpg", jpeg())])
    assert answer.status_code == 200
    refused, good = answer.json()["items"]
    assert (refused["name"], refused["status"], refused["code"]) == (name, "rejected", code) and refused["detail"]
    assert refused["image_id"] is None and good["status"] == "created"
    assert len(left_behind(settings)) == 1


def gif_and_zip() -> bytes:
    import zipfile

    buffer = io.BytesIO()
    Image.new("P", (4, 4)).save(buffer, "GIF")
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("payload.txt", "x")
    return buffer.getvalue()


TEXT = b'Content-Disposition: form-data; name="files"'
GOOD = (part(b"a.jpg"), jpeg("red", 0, (16, 16)))
BROKEN = {
    "cut off": (multipart(GOOD, GOOD)[:-100], "multipart_invalid"),
    "no last boundary": (multipart(GOOD, end=False), "multipart_invalid"),
    "empty": (b"", "multipart_invalid"),
    "not multipart": (b"\x00" * 5000, "multipart_invalid"),
    "no files": (multipart(), "no_files"),
    "another field": (multipart((part(b"a.jpg", b"photos"), b"x")), "no_files"),
    "a text field": (multipart((TEXT, b"x")), "no_files"),
    "a long text field": (multipart(GOOD, (TEXT, b"x" * 70_000)), "multipart_invalid"),
    "a header without end": (multipart(GOOD, (b"X: " + b"x" * 200_000, b"")), "multipart_invalid"),
    "many headers": (multipart(GOOD, (b"\r\n".join(b"X-%d: y" % n for n in range(5000)), b"")), "multipart_invalid"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_bodies(api: TestClient, settings: Settings, case: str) -> None:
    body, code = BROKEN[case]
    problem(send_multipart(api, new_collection(api), body), 422, code)
    assert left_behind(settings) == [] and api.get("/v1/jobs").json()["items"] == []


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 5000]
)
def test_no_usable_boundary(api: TestClient, settings: Settings, kind: str) -> None:
    path = f"/v1/collections/{new_collection(api)}/images"
    problem(api.post(path, content=multipart(GOOD), headers={"Content-Type": kind}), 422, "multipart_invalid")
    assert left_behind(settings) == []


def test_a_thousand_files_but_not_one_more(api: TestClient, settings: Settings) -> None:
    collection_id = new_collection(api)
    files = [(part(b"%d.txt" % n), b"%d" % n) for n in range(1001)]
    problem(send_multipart(api, collection_id, multipart(*files)), 413, "too_many_files")
    assert left_behind(settings) == []
    answer = send_multipart(api, collection_id, multipart(*files[:1000]))
    assert answer.status_code == 200 and answer.json()["rejected"] == 1000
    assert left_behind(settings) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "image/jpeg", ""])
def test_other_content_types(shared_api: TestClient, kind: str) -> None:
    path = f"/v1/collections/{new_collection(shared_api)}/images"
    problem(shared_api.post(path, content=jpeg(), headers={"Content-Type": kind}), 415, "content_type_unsupported")


def test_no_such_collection(api: TestClient, settings: Settings) -> None:
    problem(upload(api, NOWHERE, [("a.jpg", jpeg())]), 404, "collection_not_found")
    problem(upload(api, "17", [("a.jpg", jpeg())]), 422, "invalid")
    assert left_behind(settings) == []


def test_a_client_that_hangs_up(running: Service) -> None:
    """The connection ends in the middle of a file: no image, nothing in scratch, and the next upload is fine."""
    collection_id = new_collection(running.client)
    body = multipart(GOOD, (part(b"b.jpg"), bytes(200_000)))
    for kind in (f"multipart/form-data; boundary={BOUNDARY}", "application/zip"):
        head = f"POST /v1/collections/{collection_id}/images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:150_000])
    _await(lambda: not list((running.data / "tmp").glob("upload-*")))
    assert running.client.get(f"/v1/collections/{collection_id}/images").json()["items"] == []
    assert upload(running.client, collection_id, [("a.jpg", jpeg())]).json()["created"] == 1


def _await(condition: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_collection_that_goes_while_its_upload_comes(running: Service) -> None:
    """The upload loses the race: 404, and its blobs do not outlive it."""
    client = running.client
    collection_id = new_collection(client)
    body = multipart(GOOD)
    head = f"POST /v1/collections/{collection_id}/images HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(head.encode() + body[:100])
        _await(lambda: bool(list((running.data / "tmp").glob("upload-*"))))
        client.delete(f"/v1/collections/{collection_id}")
        connection.sendall(body[100:])
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 404") and b"collection_not_found" in answer
    assert files_below(running.data / "blobs" / "collections" / collection_id) == []
