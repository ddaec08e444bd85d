"""Each rule of tus on its own, on both databases."""

import asyncio
import base64
import errno
import hashlib
import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.testclient import TestClient

from app.db.tables import Upload, UploadPiece
from app.uploads import service
from tests.app.calls import NOWHERE, files_below, new_collection, problem
from tests.app.uploads.conftest import PIECE
from tests.app.uploads.speaking import OFFSETS, TUS, begin, cut_off, metadata, patch, received, resources, send
from tests.fixtures.loops import run


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def blobs(api: TestClient, collection_id: str) -> list[str]:
    return [path.name for path in files_below(resources(api).settings.data / "blobs" / "collections" / collection_id)]


def scratch(api: TestClient) -> list[str]:
    return [path.name for path in files_below(resources(api).settings.scratch)]


def test_what_is_spoken(pieces_api: TestClient) -> None:
    headers = pieces_api.options("/v1/uploads").headers
    assert headers["Tus-Resumable"] == headers["Tus-Version"] == "1.0.0"
    assert set(headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "expiration", "termination",
    }  # fmt: skip
    assert headers["Tus-Max-Size"] == "100000" and headers["Tus-Checksum-Algorithm"] == "sha256,sha1,md5"


@pytest.mark.parametrize("version", [{}, {"Tus-Resumable": "0.2.2"}])
def test_another_version(pieces_api: TestClient, version: dict[str, str]) -> None:
    for method in ("head", "patch", "delete"):
        answer = pieces_api.request(method, f"/v1/uploads/{NOWHERE}", headers=version)
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0"), method
    problem(pieces_api.post("/v1/uploads", headers=version), 412, "tus_version")


@pytest.mark.parametrize(
    ("name", "size", "status", "code"),
    [
        ("a.zip", 100_001, 413, "archive_limit"),
        ("a.jpg", 50_001, 413, "file_too_large"),
        ("a.jpg", 0, 422, "invalid"),
        ("a.jpg", 10**30, 413, "file_too_large"),
    ],
)
def test_sizes_that_are_refused(pieces_api: TestClient, name: str, size: int, status: int, code: str) -> None:
    said = metadata(filename=name, collection=new_collection(pieces_api))
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": said}
    answer = pieces_api.post("/v1/uploads", headers=headers)
    problem(answer, status, code)


def test_a_collection_that_is_not_there(pieces_api: TestClient) -> None:
    headers = TUS | {"Upload-Length": "1", "Upload-Metadata": metadata(filename="a.zip", collection=NOWHERE)}
    answer = pieces_api.post("/v1/uploads", headers=headers)
    problem(answer, 404, "collection_not_found")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    problem(pieces_api.get("/v1/uploads", params={"collection": NOWHERE}), 404, "collection_not_found")
    problem(pieces_api.get(f"/v1/uploads/{NOWHERE}"), 404, "upload_not_found")


def test_from_the_beginning_to_the_job(pieces_api: TestClient) -> None:
    collection_id, data = new_collection(pieces_api), os.urandom(2500)
    address = begin(pieces_api, collection_id, len(data))
    assert send(pieces_api, address, 0, data[:1500]).headers["Upload-Offset"] == "1500"
    shown = pieces_api.get("/v1/uploads", params={"collection": collection_id}).json()["items"]
    assert [(one["name"], one["received"], one["job_id"]) for one in shown] == [("a.zip", 1500, None)]
    problem(send(pieces_api, address, 0, data), 409, "upload_offset")
    problem(send(pieces_api, address, 1500, data[1500:] + b"x"), 413, "upload_too_long")
    assert received(pieces_api, address) == 1500
    last = send(pieces_api, address, 1500, data[1500:])
    assert last.status_code == 204 and last.headers["Upload-Expires"].endswith("GMT")
    job = pieces_api.get(f"/v1/jobs/{last.headers['Roost-Job']}").json()
    assert (job["kind"], job["state"], job["collection_id"]) == ("ingest", "queued", collection_id)
    assert pieces_api.get(address).json()["job_id"] == job["id"]
    assert pieces_api.get("/v1/uploads", params={"collection": collection_id}).json()["items"] == []
    again = pieces_api.head(address, headers=TUS).headers
    assert (again["Upload-Offset"], again["Roost-Job"]) == ("2500", job["id"]), "an answer that was lost is asked again"
    assert again["Upload-Metadata"] == metadata(filename="a.zip", collection=collection_id)
    problem(pieces_api.delete(address, headers=TUS), 409, "upload_complete")
    assert len(blobs(pieces_api, collection_id)) == 3 and scratch(pieces_api) == []


def test_bytes_that_come_with_the_creation(pieces_api: TestClient) -> None:
    collection_id = new_collection(pieces_api)
    said = {"Upload-Length": "1500", "Upload-Metadata": metadata(filename="a.zip", collection=collection_id)}
    headers = TUS | said | {"Content-Type": OFFSETS, "Idempotency-Key": collection_id}
    first = pieces_api.post("/v1/uploads", content=bytes(1200), headers=headers)
    assert (first.status_code, first.headers["Upload-Offset"]) == (201, "1200")
    again = pieces_api.post("/v1/uploads", content=bytes(1200), headers=headers)
    assert again.headers["Location"] == first.headers["Location"] and again.headers["Upload-Offset"] == "1200"
    wrong = TUS | said | {"Content-Type": OFFSETS, "Upload-Checksum": checksum(b"other")}
    problem(pieces_api.post("/v1/uploads", content=bytes(1200), headers=wrong), 460, "checksum_mismatch")
    problem(pieces_api.post("/v1/uploads", content=b"x", headers=TUS | said | {"Content-Type": "text/plain"}), 415,
            "content_type_unsupported")  # fmt: skip
    assert len(pieces_api.get("/v1/uploads", params={"collection": collection_id}).json()["items"]) == 1
    whole = pieces_api.post("/v1/uploads", content=bytes(1500), headers=TUS | said | {"Content-Type": OFFSETS})
    assert whole.headers["Roost-Job"]


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_checksums(pieces_api: TestClient, algorithm: str) -> None:
    """A body that is not the one meant changes nothing, also where it is several pieces long."""
    collection_id, data = new_collection(pieces_api), os.urandom(4000)
    address = begin(pieces_api, collection_id, len(data))
    right = checksum(data[:2500], algorithm)
    wrong = data[:2499] + bytes([data[2499] ^ 1])
    problem(send(pieces_api, address, 0, wrong, **{"Upload-Checksum": right}), 460, "checksum_mismatch")
    assert received(pieces_api, address) == 0 and blobs(pieces_api, collection_id) == []
    cut_off(pieces_api, address, 0, [data[:2400]], **{"Upload-Checksum": right})
    assert received(pieces_api, address) == 0, "what was not checked is not kept"
    assert send(pieces_api, address, 0, data[:2500], **{"Upload-Checksum": right}).headers["Upload-Offset"] == "2500"
    problem(send(pieces_api, address, 2500, b"", **{"Upload-Checksum": "crc32 AAAA"}), 400, "checksum_unsupported")
    assert len(blobs(pieces_api, collection_id)) == 3 and scratch(pieces_api) == []


def test_a_cut_keeps_what_came(pieces_api: TestClient) -> None:
    collection_id, data = new_collection(pieces_api), os.urandom(5000)
    address = begin(pieces_api, collection_id, len(data))
    cut_off(pieces_api, address, 0, [data[:700], data[700:2300]])
    assert received(pieces_api, address) == 2300
    cut_off(pieces_api, address, 2300, [])
    cut_off(pieces_api, address, 2300, [data[2300:]])
    assert received(pieces_api, address) == 5000, "all had come: the cut took only the answer"
    assert pieces_api.get(address).json()["job_id"] and scratch(pieces_api) == []
    stored = resources(pieces_api)
    with stored.database.reading() as session:
        rows = session.query(UploadPiece).filter_by(upload_id=UUID(address[-36:])).order_by(UploadPiece.start).all()
    assert b"".join(stored.storage.reader(row.key).read() for row in rows) == data


@pytest.mark.parametrize("summed", [False, True])
def test_who_asks_ends_a_request_that_looks_alive(pieces_api: TestClient, summed: bool) -> None:
    """A cut far away is not seen here. What is told then must hold: nothing of that request comes after it."""
    collection_id, data = new_collection(pieces_api), os.urandom(5000)
    address = begin(pieces_api, collection_id, len(data))
    more = {"Upload-Checksum": checksum(data)} if summed else {}

    async def talk() -> tuple[int, int]:
        coming, silent = [data[:2300]], asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not coming:
                silent.set()
                await asyncio.Event().wait()
            return {"type": "http.request", "body": coming.pop(), "more_body": True}

        sending = asyncio.create_task(patch(pieces_api, address, 0, receive, **more))
        await silent.wait()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(pieces_api.app), base_url="http://testserver"
        ) as other:
            offset = (await other.head(address, headers=TUS)).headers["Upload-Offset"]
        return await sending, int(offset)

    assert run(talk()) == (409, 0 if summed else 2300)
    rest = 0 if summed else 2300
    assert send(pieces_api, address, rest, data[rest:]).headers["Roost-Job"] and scratch(pieces_api) == []


def test_an_overlong_body_without_a_length(pieces_api: TestClient) -> None:
    address = begin(pieces_api, new_collection(pieces_api), PIECE)
    problem(send(pieces_api, address, 0, iter([bytes(PIECE), b"x"])), 413, "upload_too_long")  # type: ignore[arg-type]
    assert received(pieces_api, address) == 0 and scratch(pieces_api) == []


def test_two_at_once(pieces_api: TestClient) -> None:
    """The second comes while the first is between two of its chunks: one of them wins, the other changes nothing."""
    collection_id, ours, theirs = new_collection(pieces_api), b"a" * 2000, b"b" * 1500
    address = begin(pieces_api, collection_id, 2000)
    answers: list[Any] = []

    def chunks() -> Any:
        yield theirs[:500]
        answers.append(send(pieces_api, address, 0, ours))
        yield theirs[500:]

    cut_off(pieces_api, address, 0, chunks())
    assert answers[0].status_code == 204 and answers[0].headers["Roost-Job"]
    assert received(pieces_api, address) == 2000 and len(blobs(pieces_api, collection_id)) == 2
    with resources(pieces_api).database.reading() as session:
        rows = session.query(UploadPiece).filter_by(upload_id=UUID(address[-36:])).order_by(UploadPiece.start).all()
    assert b"".join(resources(pieces_api).storage.reader(row.key).read() for row in rows) == ours
    assert scratch(pieces_api) == []


def test_giving_up(pieces_api: TestClient) -> None:
    collection_id = new_collection(pieces_api)
    address = begin(pieces_api, collection_id, 3000)
    send(pieces_api, address, 0, bytes(2500))
    assert len(blobs(pieces_api, collection_id)) == 3
    assert pieces_api.delete(address, headers=TUS).status_code == 204
    assert blobs(pieces_api, collection_id) == []
    for answer in (send(pieces_api, address, 2500, b"x"), pieces_api.delete(address, headers=TUS)):
        problem(answer, 404, "upload_not_found")


def test_other_methods_by_post(pieces_api: TestClient) -> None:
    address = begin(pieces_api, new_collection(pieces_api), 10)
    patch = TUS | {"X-HTTP-Method-Override": "PATCH", "Content-Type": OFFSETS}
    problem(pieces_api.post(address, content=b"abc", headers=patch), 400, "upload_offset_missing")
    answer = pieces_api.post(address, content=b"abc", headers=patch | {"Upload-Offset": "0"})
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "3")
    assert pieces_api.post(address, headers=TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert pieces_api.head(address, headers=TUS).status_code == 404


def test_expiry(pieces_api: TestClient) -> None:
    """What nobody goes on with is gone for callers at once, and from the disk at the reconciler's next look."""
    collection_id, res = new_collection(pieces_api), resources(pieces_api)
    old, young = (begin(pieces_api, collection_id, 3000) for _ in range(2))
    for address in (old, young):
        send(pieces_api, address, 0, bytes(1500))
    with res.database.transaction() as session:
        session.get_one(Upload, UUID(old[-36:])).expires_at -= timedelta(days=8)
    problem(send(pieces_api, old, 1500, b"x"), 404, "upload_not_found")
    service.expire(res)
    assert len(blobs(pieces_api, collection_id)) == 2 and received(pieces_api, young) == 1500
    with res.database.reading() as session:
        assert session.query(UploadPiece).filter_by(upload_id=UUID(old[-36:])).count() == 0


def test_a_full_disk(pieces_api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says ENOSPC at each step in turn: 507, what was safe stays, and it goes on once there is room."""
    collection_id, data = new_collection(pieces_api), os.urandom(5000)
    address = begin(pieces_api, collection_id, len(data))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for offset, name in ((0, "link"), (1000, "fsync")):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            problem(send(pieces_api, address, offset, data[offset:]), 507, "storage_full")
        assert received(pieces_api, address) == offset and scratch(pieces_api) == []
        assert send(pieces_api, address, offset, data[offset : offset + 1000]).status_code == 204
    said = {"Upload-Length": "1500", "Upload-Metadata": metadata(filename="a.zip", collection=collection_id)}
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        begun = pieces_api.post("/v1/uploads", content=bytes(1200), headers=TUS | said | {"Content-Type": OFFSETS})
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "0"), "its address is worth having"
    assert send(pieces_api, address, 2000, data[2000:]).headers["Roost-Job"]
